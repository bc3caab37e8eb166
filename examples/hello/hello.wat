;; A guest in WebAssembly text: no toolchain, no imports but one function of WASI.
;;
;; A CGI answer on standard output is headers, an empty line and the body. The manifest calls
;; `_start` for `/` and `hello` for `/hello`.
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param $fd i32) (param $iovs i32) (param $count i32) (param $written i32)
      (result i32)))

  (memory (export "memory") 1)

  ;; 0: the one iovec (address, length); 8: the number of bytes written.
  (data (i32.const 16) "Content-Type: text/plain\n\n") ;; 26 bytes
  (data (i32.const 42) "Oh hi world\n")               ;; 12 bytes, the end of the answer for `/`
  (data (i32.const 64) "Content-Type: text/plain\n\n") ;; 26 bytes
  (data (i32.const 90) "hello world\n")               ;; 12 bytes, the end of that for `/hello`

  ;; Writes an answer; traps if the host does not take all of it.
  (func $print (param $address i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $address))
    (i32.store (i32.const 4) (local.get $length))
    (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))
      (then unreachable))
    (if (i32.ne (i32.load (i32.const 8)) (local.get $length))
      (then unreachable)))

  (func (export "_start") (call $print (i32.const 16) (i32.const 38)))
  (func (export "hello") (call $print (i32.const 64) (i32.const 38))))
