//go:build wasip1

package main

import (
	"fmt"
	"strings"
	"unsafe"
)

// Bindings to the state functions of Trilby's guest ABI (crates/trilby-host/ABI.md). Go passes a
// string as the pair that the ABI takes: pointer, length.

//go:wasmimport dapr_state_v1 get
func hostStateGet(store, key, options string) int32

//go:wasmimport dapr_state_v1 set
func hostStateSet(store, key, options, value string) int32

//go:wasmimport dapr_v1 header
func hostHeader(handle int32, name string, buf unsafe.Pointer, length uint32) int32

//go:wasmimport dapr_v1 read
func hostRead(handle int32, buf unsafe.Pointer, length uint32) int32

//go:wasmimport dapr_v1 size
func hostSize(handle int32) int32

//go:wasmimport dapr_v1 close
func hostClose(handle int32) int32

//go:wasmimport dapr_v1 error
func hostError(buf unsafe.Pointer, length uint32) int32

const (
	codeNotFound = -5
	codeAborted  = -10
)

// callError is a negative result of the host and what the host says about it.
type callError struct {
	code int32
	text string
}

func (e *callError) Error() string {
	return fmt.Sprintf("code %d: %s", -e.code, e.text)
}

// isConflict tells whether another writer was faster.
func (e *callError) isConflict() bool {
	return e.code == codeAborted
}

// getState reads a key. A missing key has no value and no etag.
func getState(store, key string) (value, etag string, err *callError) {
	handle := hostStateGet(store, key, "")
	if handle < 0 {
		return "", "", lastError(handle)
	}
	defer hostClose(handle)

	size := hostSize(handle)
	if size < 0 {
		return "", "", lastError(size)
	}
	body := make([]byte, size)
	for filled := 0; filled < len(body); {
		count := hostRead(handle, unsafe.Pointer(&body[filled]), uint32(len(body)-filled))
		if count < 0 {
			return "", "", lastError(count)
		}
		if count == 0 {
			body = body[:filled]
		}
		filled += int(count)
	}

	etag, code := readText(func(buf unsafe.Pointer, length uint32) int32 {
		return hostHeader(handle, "etag", buf, length)
	})
	if code < 0 && code != codeNotFound {
		return "", "", lastError(code)
	}
	return string(body), etag, nil
}

// setState writes a key if its version still is etag, or if it still is missing when etag is "".
func setState(store, key, value, etag string) *callError {
	options := "concurrency: first-write\n"
	if etag != "" {
		options += "etag: " + etag + "\n"
	}
	if result := hostStateSet(store, key, options, value); result < 0 {
		return lastError(result)
	}
	return nil
}

func lastError(code int32) *callError {
	text, _ := readText(hostError)
	if _, sentence, found := strings.Cut(text, "\n\n"); found {
		text = sentence
	}
	return &callError{code, text}
}

// readText calls a function of the host that tells the length of a text, again with room for the
// whole if there was too little. The code is negative if there is no text.
func readText(call func(buf unsafe.Pointer, length uint32) int32) (text string, code int32) {
	buf := make([]byte, 256)
	for {
		length := call(unsafe.Pointer(&buf[0]), uint32(len(buf)))
		if length < 0 {
			return "", length
		}
		if int(length) <= len(buf) {
			return string(buf[:length]), 0
		}
		buf = make([]byte, length)
	}
}
