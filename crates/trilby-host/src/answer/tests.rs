use super::*;

fn empty() -> Answer {
    Answer::new(Headers::new(), Bytes::new())
}

fn of_bytes(count: usize) -> Answer {
    Answer::new(Headers::new(), Bytes::from(vec![0; count]))
}

#[test]
fn handles_start_at_one_and_are_reused() {
    let mut answers = Answers::default();
    assert_eq!(answers.open(empty()), Ok(1));
    assert_eq!(answers.open(empty()), Ok(2));
    assert!(answers.close(1).is_some());
    assert!(answers.close(1).is_none());
    assert_eq!(answers.open(empty()), Ok(1));
    for unknown in [i32::MIN, -1, 0, 3, i32::MAX] {
        assert!(answers.get(unknown).is_none(), "{unknown}");
    }
}

#[test]
fn there_is_a_limit() {
    let mut answers = Answers::default();
    for _ in 0..HANDLES_MAX {
        assert!(answers.has_room());
        assert!(answers.open(empty()).is_ok());
    }
    assert!(!answers.has_room());
    assert_eq!(answers.open(empty()), Err(Full::Handles));
}

#[test]
fn open_answers_share_a_limit_in_bytes() {
    let mut answers = Answers::default();
    assert_eq!(answers.open(of_bytes(ANSWER_BYTES_MAX / 2 + 1)), Ok(1));
    assert_eq!(answers.open(of_bytes(ANSWER_BYTES_MAX / 2 + 1)), Err(Full::Bytes));
    assert!(answers.close(1).is_some());
    assert_eq!(answers.open(of_bytes(ANSWER_BYTES_MAX / 2 + 1)), Ok(1));
    assert_eq!(Answers::default().open(of_bytes(ANSWER_BYTES_MAX + 1)), Ok(1));
}

#[test]
fn a_part_that_is_read_does_not_make_room() {
    let mut answers = Answers::default();
    assert_eq!(answers.open(of_bytes(ANSWER_BYTES_MAX)), Ok(1));
    if let Body::Whole { rest, .. } = &mut answers.get(1).expect("open").body {
        drop(rest.split_to(ANSWER_BYTES_MAX));
    }
    assert_eq!(answers.open(of_bytes(1)), Err(Full::Bytes));
    assert_eq!(answers.room_bytes(), 0);
}

#[test]
fn a_header_cannot_forge_a_line() {
    let headers = vec![("a".to_owned(), "1\nb: 2".to_owned()), ("c\nd".into(), "3".into())];
    let answer = Answer::new(headers, Bytes::new());
    assert_eq!(answer.header_block(), "a: 1 b: 2\nc d: 3\n");
    assert_eq!(answer.header("A"), Some("1\nb: 2"));
}
