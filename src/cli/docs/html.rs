//! One file of HTML that holds all: style, script and what there is to tell. Whatever comes from a project or a lake is
//! put in as JSON, which the script shows as text; nothing of it is ever read as HTML.

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::Value;
use sha2::{Digest, Sha256};

const SHELL: &str = include_str!("page/index.html");
const STYLE: &str = include_str!("page/style.css");
/// Parts of one script.
const SCRIPT: &str = concat!(
    "'use strict';\n",
    include_str!("page/format.js"),
    include_str!("page/element.js"),
    include_str!("page/project.js"),
    include_str!("page/layout.js"),
    include_str!("page/graph.js"),
    include_str!("page/chart.js"),
    include_str!("page/overview.js"),
    include_str!("page/table.js"),
    include_str!("page/runs.js"),
    include_str!("page/search.js"),
    include_str!("page/main.js"),
);

/// The page that shows `docs`.
pub fn page(docs: &Value) -> String {
    let name = docs.get("project").and_then(Value::as_str).unwrap_or_default();
    let mut page = String::with_capacity(SHELL.len() + STYLE.len() + SCRIPT.len() + (1 << 16));
    // one pass: what is put in is not looked at again
    for (at, piece) in SHELL.split("%%").enumerate() {
        match piece {
            piece if at % 2 == 0 => page.push_str(piece),
            "policy" => page.push_str(&policy()),
            "title" => page.push_str(&text(name)),
            "style" => page.push_str(STYLE),
            "data" => page.push_str(&data(docs)),
            "script" => page.push_str(SCRIPT),
            _ => {}
        }
    }
    page
}

/// Nothing is loaded, nothing is sent, and only this style and this script count.
/// <https://www.w3.org/TR/CSP3/>
pub fn policy() -> String {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; img-src data:; base-uri 'none'; \
         form-action 'none'",
        hash(SCRIPT),
        hash(STYLE)
    )
}

/// JSON that is safe within a script element: no `<` can end it or begin another.
/// <https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements>
fn data(docs: &Value) -> String {
    let json = docs.to_string();
    let mut safe = String::with_capacity(json.len() + json.len() / 16);
    for c in json.chars() {
        match c {
            // they stand within texts alone, where JSON allows an escape
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => safe.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => safe.push(c),
        }
    }
    safe
}

fn text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HOSTILE: &str = "</script><img src=x onerror=alert(1)><!--\u{2028}%%script%%&amp;";

    #[test]
    fn what_is_told_never_ends_its_element_and_stays_the_same() {
        let docs = json!({ "project": HOSTILE, HOSTILE: [HOSTILE] });
        let page = page(&docs);
        assert_eq!(page.matches("</script").count(), 2, "that of the data and that of the script");
        assert!(!page.contains("<img"));
        let (_, rest) = page.split_once("<script type=\"application/json\" id=\"docs\">").unwrap();
        let (json, _) = rest.split_once("</script>").unwrap();
        assert!(!json.contains(['<', '>', '&', '\u{2028}']));
        assert_eq!(serde_json::from_str::<Value>(json).unwrap(), docs);
    }

    #[test]
    fn only_the_style_and_the_script_that_are_there_count() {
        let page = page(&json!({}));
        let between = |from: &str, to: &str| page.split_once(from).unwrap().1.split_once(to).unwrap().0.to_owned();
        let hash = |text: String| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)));
        let policy = between("content=\"default-src", "\"");
        assert!(policy.contains(&format!("style-src {}", hash(between("<style>", "</style>")))), "{policy}");
        assert!(policy.contains(&format!("script-src {}", hash(between("<script>", "</script>")))), "{policy}");
    }

    #[test]
    fn the_page_asks_for_nothing_and_makes_no_html_of_texts() {
        let page = page(&json!({}));
        for word in ["innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "fetch(", "XMLHttp", "src="]
        {
            assert!(!page.contains(word), "{word}");
        }
        let links = page.matches("http").count();
        assert_eq!(links, page.matches("http://www.w3.org/").count() + page.matches("http-equiv").count());
    }
}
