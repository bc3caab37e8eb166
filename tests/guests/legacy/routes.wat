;; Names more routes by itself: WAGI calls `_routes` once, and reads one route and one export per
;; line. The one that is declared last wins; the module's own route comes after all of them.
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get"
    (func $environ_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get"
    (func $environ_get (param i32 i32) (result i32)))
  (memory (export "memory") 4)
  (data (i32.const 64) "/one one\n/two/... two\n\n/two/x last\n")
  (data (i32.const 128) "Content-Type: text/plain\n\n")
  (data (i32.const 192) "start\none\ntwo\nlast\n")

  (func $write (param $at i32) (param $bytes i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $bytes))
    (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))
      (then unreachable)))

  ;; Answers a word and a line feed, then the environment, each string with a NUL after it.
  (func $answer (param $at i32) (param $bytes i32)
    (call $write (i32.const 128) (i32.const 26))
    (call $write (local.get $at) (local.get $bytes))
    (if (call $environ_sizes_get (i32.const 16) (i32.const 20)) (then unreachable))
    (if (call $environ_get (i32.const 1024) (i32.const 16384)) (then unreachable))
    (call $write (i32.const 16384) (i32.load (i32.const 20))))

  (func (export "_routes") (call $write (i32.const 64) (i32.const 35)))
  (func (export "_start") (call $answer (i32.const 192) (i32.const 6)))
  (func (export "one") (call $answer (i32.const 198) (i32.const 4)))
  (func (export "two") (call $answer (i32.const 202) (i32.const 4)))
  (func (export "last") (call $answer (i32.const 206) (i32.const 5))))
