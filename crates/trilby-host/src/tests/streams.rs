use trilby_sandbox::Ending;

use super::fake::App;
use super::guest::{BUFFER, BUFFER_BYTES};
use super::*;

const OPEN: (&str, &[Arg<'_>]) =
    ("dapr_invoke_v1.open", &[Arg::Text("app"), Arg::Text("m"), Arg::Text("")]);
const END: (&str, &[Arg<'_>]) = ("dapr_v1.end", &[Arg::Number(1)]);
const READ: (&str, &[Arg<'_>]) =
    ("dapr_v1.read", &[Arg::Number(1), Arg::Number(BUFFER), Arg::Number(BUFFER_BYTES)]);
const CLOSE: (&str, &[Arg<'_>]) = ("dapr_v1.close", &[Arg::Number(1)]);
const ERROR: (&str, &[Arg<'_>]) =
    ("dapr_v1.error", &[Arg::Number(BUFFER), Arg::Number(BUFFER_BYTES)]);
const HEADERS: (&str, &[Arg<'_>]) =
    ("dapr_v1.headers", &[Arg::Number(1), Arg::Number(BUFFER), Arg::Number(BUFFER_BYTES)]);
const WRITE: (&str, &[Arg<'_>]) = ("dapr_v1.write", &[Arg::Number(1), Arg::Text("x")]);
/// So many zeros of the guest's memory.
const WRITE_MUCH: (&str, &[Arg<'_>]) =
    ("dapr_v1.write", &[Arg::Number(1), Arg::Number(BUFFER), Arg::Number(300_000)]);

fn app(app: App) -> Arc<Fake> {
    Arc::new(Fake::of(app))
}

#[tokio::test]
async fn a_body_is_written_in_pieces_and_the_answer_read() {
    let write = |text| [n(1), s(text)];
    let header = [n(1), s("STATUS"), n(BUFFER), n(BUFFER_BYTES)];
    let (one, two) = (write("one "), write("two"));
    let answers = run(
        &app(App::Echoes),
        &[
            OPEN,
            ("dapr_v1.write", &one),
            ("dapr_v1.write", &two),
            ("dapr_v1.write", &[n(1), s("")]),
            END,
            ("dapr_v1.header", &header),
            HEADERS,
            READ,
            READ,
            READ,
            ("dapr_v1.size", &[n(1)]),
            WRITE,
            END,
            CLOSE,
            CLOSE,
        ],
    )
    .await;
    assert_eq!(results(&answers), [1, 4, 3, 0, 0, 3, 12, 4, 3, 0, -9, -9, -9, 0, -3]);
    assert_eq!(answers[5].1, "201");
    assert_eq!(answers[6].1, "status: 201\n");
    assert_eq!((answers[7].1.as_str(), answers[8].1.as_str()), ("one ", "two"));
}

#[tokio::test]
async fn large_writes_go_before_anything_is_read() {
    let write = WRITE_MUCH;
    let calls = [&[OPEN, write, write, write, END][..], &[READ; 16]].concat();
    let answers = run(&app(App::Echoes), &calls).await;
    assert_eq!(results(&answers)[..5], [1, 300_000, 300_000, 300_000, 0]);
    assert_eq!(results(&answers)[5..].iter().sum::<i32>(), 900_000);
    assert_eq!(answers.last().map(|(result, _)| *result), Some(0), "the end is reached");
}

#[tokio::test]
async fn an_early_answer_is_read_before_the_body_ends() {
    let answers =
        run(&app(App::AnswersEarly), &[OPEN, HEADERS, WRITE, ERROR, READ, READ, CLOSE]).await;
    assert_eq!(results(&answers)[..3], [1, 12, -9]);
    assert!(answers[3].1.contains("reason: TRILBY_BODY_UNWANTED"), "{answers:?}");
    assert_eq!(answers[4], (5, "early".to_owned()));
    assert_eq!(answers[5].0, 0);
}

#[tokio::test(start_paused = true)]
async fn each_wait_has_a_bound_and_a_broken_write_breaks_the_stream() {
    let calls = [OPEN, HEADERS, WRITE_MUCH, WRITE_MUCH, ERROR, WRITE, READ, END];
    let answers = run(&app(App::Hangs), &calls).await;
    // An answer that is late may still come; the first write fits into the queue but for its end.
    assert_eq!(results(&answers)[..4], [1, -4, -4, -4]);
    assert!(answers[4].1.contains("reason: TRILBY_DEADLINE"), "{answers:?}");
    assert_eq!(results(&answers)[5..], [-4, -4, -4]);
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_may_still_come() {
    let calls = [OPEN, HEADERS, WRITE, READ, WRITE];
    let answers = run(&app(App::Hangs), &calls).await;
    assert_eq!(results(&answers), [1, -4, 1, -4, 1]);
}

#[tokio::test(start_paused = true)]
async fn no_wait_is_past_the_requests_deadline() {
    let calls = [&[OPEN][..], &[HEADERS; 100]].concat();
    let begun = tokio::time::Instant::now();
    let (_, seen) = Guest::new(app(App::Hangs), all()).run_to(&calls).await;
    // The clock stands still but for waits: 12 of them are all that there is time for.
    assert!(begun.elapsed() < REQUEST_TIMEOUT + CALL_TIMEOUT, "{:?}", begun.elapsed());
    assert!(seen.len() >= 12, "{seen:?}");
}

#[tokio::test]
async fn closing_breaks_the_call_off() {
    let fake = app(App::Hangs);
    let dropped = Arc::clone(&fake.dropped);
    let answers = run(&fake, &[OPEN, WRITE, CLOSE, WRITE]).await;
    assert_eq!(results(&answers), [1, 1, 0, -3]);
    if !fake.asked().is_empty() {
        dropped.notified().await;
    }
}

#[tokio::test]
async fn the_end_of_the_guest_breaks_the_call_off() {
    let fake = app(App::Hangs);
    // The fourth piece waits until the call has begun.
    let (ending, _) = Guest::new(Arc::clone(&fake), all()).run_to(&[OPEN, WRITE]).await;
    assert_eq!(ending, Ending::Done);
    if !fake.asked().is_empty() {
        fake.dropped.notified().await;
    }
}

#[tokio::test]
async fn an_error_in_the_middle_comes_after_what_was_good() {
    let call: (&str, &[Arg<'_>]) = ("dapr_invoke_v1.call", &[s("app"), s("m"), s(""), s("")]);
    let answers = run(&app(App::Breaks), &[call, READ, READ, ERROR, READ]).await;
    assert_eq!(results(&answers)[..3], [1, 4, -14]);
    assert_eq!(answers[1].1, "half");
    assert!(answers[3].1.ends_with("\n\nthe connection is lost"), "{answers:?}");
    assert_eq!(answers[4].0, -14);
}

#[tokio::test]
async fn an_app_that_is_away_is_an_error() {
    let call: (&str, &[Arg<'_>]) = ("dapr_invoke_v1.call", &[s("app"), s("m"), s(""), s("")]);
    let answers = run(&app(App::IsAway), &[call, ERROR, OPEN, HEADERS, READ, WRITE, END]).await;
    assert_eq!(answers[0].0, -14);
    assert!(answers[1].1.contains("reason: ERR_DIRECT_INVOKE"), "{answers:?}");
    assert_eq!(results(&answers)[2..], [1, -14, -14, -14, -14]);
}

#[tokio::test]
async fn a_stream_may_be_longer_than_answers_may_be_together() {
    let call: (&str, &[Arg<'_>]) = ("dapr_invoke_v1.call", &[s("app"), s("m"), s(""), s("")]);
    let calls = [&[call][..], &[READ; 21]].concat();
    let answers = run(&app(App::IsVerbose), &calls).await;
    assert_eq!(results(&answers)[1..].iter().sum::<i32>(), 20 << 20);
    assert_eq!(answers[21].0, 0);
}

#[tokio::test]
async fn a_guest_has_64_handles() {
    let calls = [&[OPEN; 65][..], &[ERROR, CLOSE, OPEN]].concat();
    let fake = app(App::Hangs);
    let answers = run(&fake, &calls).await;
    let expected: Vec<i32> = (1..=64).collect();
    assert_eq!(results(&answers)[..64], expected);
    assert_eq!(answers[64].0, -8);
    assert!(answers[65].1.contains("reason: TRILBY_TOO_MANY_HANDLES"), "{answers:?}");
    assert_eq!(results(&answers)[66..], [0, 1]);
}

#[tokio::test]
async fn an_answer_that_is_whole_cannot_be_written() {
    let get: (&str, &[Arg<'_>]) = ("dapr_state_v1.get", &[s("store"), s("k"), s("")]);
    let answers = run(&app(App::Echoes), &[get, WRITE, END, ("dapr_v1.size", &[n(1)])]).await;
    assert_eq!(results(&answers), [1, -9, -9, 5]);
}
