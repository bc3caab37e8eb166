//go:build !wasip1

package abi

import (
	"strings"
	"unsafe"

	"trilby.example/guest"
)

// Fake stands in for the host in tests. It keeps what it was asked, and gives the same to all.
type Fake struct {
	// Result is that of every call.
	Result int32
	// Headers and Body are the answer; Stream says that the body's size is not known.
	Headers, Body string
	Stream        bool
	// After runs after each call, if it is there.
	After func()
	// Text is what the host says about an error.
	Text string

	// Calls are the calls of blocks: module, function, arguments, divided by `|`.
	Calls []string
	// Written is what was sent; Ended and Closed are how often.
	Written       string
	Ended, Closed int
}

// fake is the host outside of WebAssembly: without one, nothing is implemented.
var fake *Fake

// Use puts a host in place until the test ends.
func Use(t interface{ Cleanup(func()) }, host *Fake) {
	fake = host
	t.Cleanup(func() { fake = nil })
}

const unimplemented = -int32(guest.Unimplemented)

// Call is a call of a block.
func Call(module, function string, args ...string) int32 {
	if fake == nil {
		return unimplemented
	}
	parts := append([]string{module, function}, args...)
	fake.Calls = append(fake.Calls, strings.Clone(strings.Join(parts, "|")))
	result := fake.Result
	if fake.After != nil {
		fake.After()
	}
	return result
}

func hostHeader(_ int32, name string, buf unsafe.Pointer, length uint32) int32 {
	for line := range strings.Lines(fake.Headers) {
		if found, value, _ := strings.Cut(line, ":"); strings.EqualFold(found, name) {
			return fill(strings.TrimSpace(value), buf, length)
		}
	}
	return -int32(guest.NotFound)
}

func hostHeaders(_ int32, buf unsafe.Pointer, length uint32) int32 {
	return fill(fake.Headers, buf, length)
}

func hostRead(_ int32, buf unsafe.Pointer, length uint32) int32 {
	// Little by little, as a stream may come.
	count := copy(unsafe.Slice((*byte)(buf), min(length, 3)), fake.Body)
	fake.Body = fake.Body[count:]
	return int32(count)
}

func hostSize(int32) int32 {
	if fake.Stream {
		return -int32(guest.FailedPrecondition)
	}
	return int32(len(fake.Body))
}

func hostClose(int32) int32 {
	fake.Closed++
	return 0
}

func hostWrite(_ int32, data string) int32 {
	fake.Written += strings.Clone(data)
	return int32(len(data))
}

func hostEnd(int32) int32 {
	fake.Ended++
	return 0
}

func hostError(buf unsafe.Pointer, length uint32) int32 {
	if fake == nil {
		return fill("\n\nthere is no host outside of WebAssembly", buf, length)
	}
	return fill(fake.Text, buf, length)
}

func fill(text string, buf unsafe.Pointer, length uint32) int32 {
	copy(unsafe.Slice((*byte)(buf), length), text)
	return int32(len(text))
}
