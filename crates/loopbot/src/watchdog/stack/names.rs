// ANCHOR: names
//! From addresses to the names of functions, and to lines in the source.

use addr2line::{Loader, demangle_auto};

use super::unwind::Address;

/// A function that a thread is in.
pub(super) struct Function {
    /// With all its modules.
    pub(super) name: String,
    /// With its whole path.
    pub(super) file: Option<String>,
    pub(super) line: Option<u32>,
}

/// The functions at these addresses; before each one those that were inlined into it, if debug information tells them. They are
/// looked up as they are asked for: that is what takes time.
pub(super) fn functions(addresses: Vec<Address>) -> impl Iterator<Item = Function> {
    let mut opened: Vec<(String, Option<Loader>)> = Vec::new();
    addresses.into_iter().flat_map(move |at| {
        let index = opened.iter().position(|(file, _)| *file == at.file);
        let index = index.unwrap_or_else(|| {
            opened.push((at.file.clone(), Loader::new(&at.file).ok()));
            opened.len() - 1
        });
        let loader = opened[index].1.as_ref();
        loader.map_or_else(Vec::new, |loader| functions_at(loader, at.address))
    })
}

fn functions_at(loader: &Loader, address: u64) -> Vec<Function> {
    let mut functions = Vec::new();
    if let Ok(mut frames) = loader.find_frames(address) {
        while let Ok(Some(frame)) = frames.next() {
            let name = frame.function.as_ref();
            let name = name.and_then(|name| Some(name.raw_name().ok()?.into_owned()));
            let (file, line) = frame
                .location
                .map_or((None, None), |at| (at.file.map(str::to_owned), at.line));
            let name = name.unwrap_or_default();
            functions.push(Function { name, file, line });
        }
    }
    // Debug information that is there for the lines only has names without a path. The outermost of these functions, into
    // which the others were inlined, stands in the table of symbols with its whole name.
    if let Some(symbol) = loader.find_symbol(address) {
        let (file, line) = functions
            .pop()
            .map_or((None, None), |function| (function.file, function.line));
        let name = symbol.to_owned();
        functions.push(Function { name, file, line });
    }
    for function in &mut functions {
        function.name = demangle_auto(function.name.as_str().into(), None).into_owned();
    }
    functions
}
// ANCHOR_END: names
