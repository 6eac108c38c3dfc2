//! One HTML page, read with a browser's tokenizer into what the gate asks about.

use std::cell::RefCell;
use std::collections::BTreeMap;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer,
};

/// An element, in the order of the page.
#[derive(Clone, Debug, Default)]
pub struct Element {
    /// The tag, in lower case.
    pub tag: String,
    /// Its attributes.
    pub attributes: BTreeMap<String, String>,
    /// The text inside, that of elements inside included.
    pub text: String,
    /// Indices of the elements that it is in, outermost first.
    pub inside: Vec<usize>,
}

impl Element {
    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }
}

/// Elements that have no end tag.
const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
];

/// Reads a page. The elements come in the order of their open tags.
pub fn read(html: &str) -> Vec<Element> {
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(html));
    let tokenizer = Tokenizer::new(Reader::default(), Default::default());
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.state.into_inner().elements
}

#[derive(Default)]
struct Reader {
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    elements: Vec<Element>,
    open: Vec<usize>,
}

impl TokenSink for Reader {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut state = self.state.borrow_mut();
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => state.open(&tag),
            Token::TagToken(tag) => {
                state.close(&tag.name);
                TokenSinkResult::Continue
            }
            Token::CharacterTokens(text) => {
                let State { elements, open } = &mut *state;
                for &element in &*open {
                    elements[element].text.push_str(&text);
                }
                TokenSinkResult::Continue
            }
            _ => TokenSinkResult::Continue,
        }
    }
}

impl State {
    fn open(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name = tag.name.to_string();
        let attributes = tag
            .attrs
            .iter()
            .map(|attr| (attr.name.local.to_string(), attr.value.to_string()));
        let element = Element {
            tag: name.clone(),
            attributes: attributes.collect(),
            text: String::new(),
            inside: self.open.clone(),
        };
        self.elements.push(element);
        if !tag.self_closing && !VOID.contains(&name.as_str()) {
            self.open.push(self.elements.len() - 1);
        }
        match name.as_str() {
            "script" => TokenSinkResult::RawData(RawKind::ScriptData),
            "style" | "noscript" => TokenSinkResult::RawData(RawKind::Rawtext),
            "title" | "textarea" => TokenSinkResult::RawData(RawKind::Rcdata),
            _ => TokenSinkResult::Continue,
        }
    }

    /// Closes the innermost element of that name and all that was left open inside it.
    fn close(&mut self, name: &str) {
        if let Some(at) = self
            .open
            .iter()
            .rposition(|&element| self.elements[element].tag == name)
        {
            self.open.truncate(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_text_and_raw_elements_are_understood() {
        let page = read(
            "<p id=a>one <b>two</b><img src=x.png> three</p><script>if (a<b) { '<p>' }</script><p>four",
        );
        let tags: Vec<_> = page
            .iter()
            .map(|element| (element.tag.as_str(), element.text.as_str()))
            .collect();
        assert_eq!(
            tags,
            [
                ("p", "one two three"),
                ("b", "two"),
                ("img", ""),
                ("script", "if (a<b) { '<p>' }"),
                ("p", "four")
            ]
        );
        assert_eq!(page[0].attribute("id"), Some("a"));
        assert_eq!(
            (page[1].inside.as_slice(), page[4].inside.len()),
            ([0].as_slice(), 0)
        );
    }
}
