// Package abi is what all blocks share to speak the guest ABI: options going in, results and
// answers coming out, and lists of records both ways.
package abi

import (
	"unsafe"

	"trilby.example/guest"
)

// Done is the error of a call that gives no answer to read; nil for a result that is not negative.
func Done(result int32) error {
	if result >= 0 {
		return nil
	}
	// A text that cannot be had leaves the code, which says most.
	text, _ := fetch(hostError)
	return guest.ParseError(guest.CodeOf(result), text)
}

// Invalid is an error that the SDK finds before the host is asked.
func Invalid(message string) error {
	return &guest.Error{Code: guest.InvalidArgument, Message: message}
}

// View is a body as the string that imports take, without a copy. It must not outlive the call.
func View(data []byte) string {
	return unsafe.String(unsafe.SliceData(data), len(data))
}

// fetch calls a function of the host that tells the length of a text, again with room for the whole
// if there was too little. The result is negative if there is no text.
func fetch(call func(buf unsafe.Pointer, length uint32) int32) (text string, result int32) {
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
