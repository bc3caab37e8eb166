//! Talk with large language models.
//!
//! ```no_run
//! use trilby_guest::conversation;
//!
//! # fn main() -> trilby_guest::Result<()> {
//! let answer = conversation::ask("llm", "Summarise in one sentence: …")?;
//! # let _ = answer;
//! # Ok(())
//! # }
//! ```

use crate::call::Answer;
use crate::json::{Json, quote};
use crate::{Code, Error, Result, raw};

/// Sends a request in the JSON of Dapr's HTTP API (`/v1.0-alpha2/conversation/NAME/converse`), and
/// gives the answer, which is JSON, too: for roles, tools, several turns.
pub fn converse(component: &str, request: &str) -> Result<Vec<u8>> {
    Answer::open(raw::conversation_converse(component, "", request))?.body()
}

/// Asks as a user, and gives the text of the first answer.
pub fn ask(component: &str, question: &str) -> Result<String> {
    let answer = converse(component, &request(question))?;
    text(&answer).ok_or_else(|| Error::new(Code::Internal, "the model's answer has no text"))
}

fn request(question: &str) -> String {
    let mut request = String::from(r#"{"inputs":[{"messages":[{"ofUser":{"content":[{"text":"#);
    quote(question, &mut request);
    request.push_str("}]}}]}]}");
    request
}

/// The content of the first choice of the first output.
fn text(answer: &[u8]) -> Option<String> {
    let answer = Json::parse(std::str::from_utf8(answer).ok()?)?;
    let choice = answer.get("outputs")?.items().first()?.get("choices")?.items().first()?;
    Some(choice.get("message")?.get("content")?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_one_message_of_the_user() {
        let request: serde_json::Value = serde_json::from_str(&request("a \"b\"\n")).unwrap();
        let content = &request["inputs"][0]["messages"][0]["ofUser"]["content"];
        assert_eq!(content, &serde_json::json!([{"text": "a \"b\"\n"}]));
    }

    #[test]
    fn the_first_answer_counts() {
        let message = r#"{"outputs":[{"choices":[{"message":{"content":"yes"}}]}]}"#;
        assert_eq!(text(message.as_bytes()).as_deref(), Some("yes"));
        for none in ["", "{}", r#"{"outputs":[]}"#, r#"{"outputs":[{"choices":[{}]}]}"#] {
            assert_eq!(text(none.as_bytes()), None, "{none}");
        }
    }
}
