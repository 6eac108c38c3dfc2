//! Every socket lends its descriptor: `AsFd` on Unix, `AsSocket` on Windows. With it, `socket2::SockRef`
//! reaches every option that has no method here.

macro_rules! lends_its_descriptor {
    ([$($T:ident: $Bound:path)?] $Type:ty) => {
        #[cfg(unix)]
        impl<$($T: $Bound)?> std::os::fd::AsFd for $Type {
            fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                self.0.get_ref().as_fd()
            }
        }

        #[cfg(windows)]
        impl<$($T: $Bound)?> std::os::windows::io::AsSocket for $Type {
            fn as_socket(&self) -> std::os::windows::io::BorrowedSocket<'_> {
                self.0.get_ref().as_socket()
            }
        }
    };
}

lends_its_descriptor!([T: super::stream::Duplex] super::stream::Stream<T>);
lends_its_descriptor!([] super::TcpListener);
lends_its_descriptor!([] super::UdpSocket);
#[cfg(unix)]
lends_its_descriptor!([] super::UnixListener);
#[cfg(unix)]
lends_its_descriptor!([] super::UnixDatagram);
