use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use futures_util::FutureExt;

use super::*;

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Wakes {
    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

fn write(writer: &mut Writer, bytes: impl Into<Bytes>) {
    writer.write(bytes.into()).expect("can be written");
}

fn drain(reader: &Reader) -> Vec<Bytes> {
    std::iter::from_fn(|| reader.try_read()).collect()
}

#[test]
fn small_writes_are_gathered() {
    let (mut writer, reader) = new(usize::MAX);
    let all: Vec<u8> = (0..100_000_u32).map(|i| i.to_le_bytes()[0]).collect();
    for &byte in &all {
        write(&mut writer, vec![byte]);
    }
    let chunks = drain(&reader);
    assert_eq!(chunks.len(), all.len().div_ceil(GATHERED_BYTES_MAX));
    assert_eq!(chunks.concat(), all);
    assert!(!reader.has_chunk());
}

#[test]
fn the_order_is_kept_between_small_and_large_writes() {
    let (mut writer, reader) = new(usize::MAX);
    let large = vec![b'L'; LARGE_WRITE_BYTES];
    let writes: [&[u8]; 7] = [b"a", b"b", &large, b"", b"c", &large, &large];
    for bytes in writes {
        write(&mut writer, bytes.to_vec());
    }
    let lengths: Vec<usize> = lock(&reader.0).chunks.iter().map(Bytes::len).collect();
    assert_eq!(lengths, [2, large.len(), 1, large.len(), large.len()]);
    assert_eq!(drain(&reader).concat(), writes.concat());
}

#[test]
fn a_lone_small_write_and_each_large_one_are_not_copied() {
    let (mut writer, reader) = new(usize::MAX);
    for length in [38, LARGE_WRITE_BYTES, LARGE_WRITE_BYTES + 1] {
        let bytes = vec![b'x'; length];
        let address = bytes.as_ptr();
        write(&mut writer, bytes);
        assert!(reader.has_chunk());
        assert_eq!(reader.try_read().expect("a chunk").as_ptr(), address, "{length}");
    }
    assert_eq!(reader.try_read(), None);
}

#[test]
fn a_full_pipe_makes_the_guest_wait_until_something_is_read() {
    let (mut writer, reader) = new(usize::MAX);
    for _ in 0..CAPACITY_BYTES / LARGE_WRITE_BYTES - 1 {
        write(&mut writer, vec![0; LARGE_WRITE_BYTES]);
    }
    assert_eq!(writer.check_write().expect("open"), LARGE_WRITE_BYTES);
    for _ in 0..LARGE_WRITE_BYTES {
        assert!(writer.ready().now_or_never().is_some());
        write(&mut writer, vec![0]);
    }
    assert_eq!(writer.check_write().expect("open"), 0);
    let wakes = Arc::new(Wakes::default());
    let waker = Arc::clone(&wakes).into();
    let mut writable = writer.clone();
    let mut ready = writable.ready();
    assert!(ready.poll_unpin(&mut Context::from_waker(&waker)).is_pending());
    assert_eq!(wakes.count(), 0);
    assert!(reader.try_read().is_some());
    assert_eq!(wakes.count(), 1);
    assert!(ready.poll_unpin(&mut Context::from_waker(&waker)).is_ready());
    assert_eq!(writer.check_write().expect("open"), LARGE_WRITE_BYTES);
}

#[test]
fn a_waiting_reader_is_woken_by_a_single_byte() {
    let (mut writer, reader) = new(usize::MAX);
    let wakes = Arc::new(Wakes::default());
    let waker = Arc::clone(&wakes).into();
    let mut context = Context::from_waker(&waker);
    assert!(reader.poll_chunk(&mut context).is_pending());
    write(&mut writer, Vec::new());
    assert_eq!(wakes.count(), 0);
    assert!(reader.poll_chunk(&mut context).is_pending());
    write(&mut writer, &b"a"[..]);
    write(&mut writer, &b"b"[..]);
    assert_eq!(wakes.count(), 1);
    assert_eq!(reader.poll_chunk(&mut context), Poll::Ready(Bytes::from_static(b"ab")));
    assert!(reader.poll_chunk(&mut context).is_pending());
}

#[test]
fn without_a_reader_a_write_fails_and_nobody_waits() {
    let (mut writer, reader) = new(usize::MAX);
    for _ in 0..CAPACITY_BYTES / LARGE_WRITE_BYTES {
        write(&mut writer, vec![0; LARGE_WRITE_BYTES]);
    }
    let wakes = Arc::new(Wakes::default());
    let waker = Arc::clone(&wakes).into();
    let mut writable = writer.clone();
    let mut ready = writable.ready();
    assert!(ready.poll_unpin(&mut Context::from_waker(&waker)).is_pending());
    drop(reader);
    assert_eq!(wakes.count(), 1);
    assert!(ready.poll_unpin(&mut Context::from_waker(&waker)).is_ready());
    assert!(matches!(writer.check_write(), Err(StreamError::Closed)));
    assert!(matches!(writer.write(Bytes::from_static(b"a")), Err(StreamError::Closed)));
    assert!(!writer.is_over_limit());
}

#[test]
fn the_limit_may_be_reached_and_not_passed() {
    let (mut writer, reader) = new(10);
    write(&mut writer, &b"1234567"[..]);
    write(&mut writer, &b"890"[..]);
    assert!(!writer.is_over_limit());
    assert!(matches!(writer.write(Bytes::from_static(b"1")), Err(StreamError::Trap(_))));
    assert!(writer.is_over_limit());
    assert_eq!(drain(&reader).concat(), b"1234567890");
}
