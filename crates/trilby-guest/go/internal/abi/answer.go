package abi

import (
	"io"
	"strings"
	"unsafe"

	"trilby.example/guest"
)

// Answer is a handle of the host with an answer to read. The host keeps few at once, so that each
// must be closed.
type Answer struct {
	handle int32
}

// Field is one header of an answer.
type Field struct {
	Name, Value string
}

// Open is the answer that a result stands for, or the error.
func Open(result int32) (*Answer, error) {
	if err := Done(result); err != nil {
		return nil, err
	}
	return &Answer{handle: result}, nil
}

// Header is the value of a header, empty if there is none.
func (a *Answer) Header(name string) (string, error) {
	value, result := fetch(func(buf unsafe.Pointer, length uint32) int32 {
		return hostHeader(a.handle, name, buf, length)
	})
	if result < 0 && guest.CodeOf(result) != guest.NotFound {
		return "", Done(result)
	}
	return value, nil
}

// Headers are all headers, in the host's order.
func (a *Answer) Headers() ([]Field, error) {
	block, result := fetch(func(buf unsafe.Pointer, length uint32) int32 {
		return hostHeaders(a.handle, buf, length)
	})
	if result < 0 {
		return nil, Done(result)
	}
	var fields []Field
	for line := range strings.Lines(block) {
		if name, value, found := strings.Cut(line, ":"); found {
			fields = append(fields, Field{name, strings.TrimSpace(value)})
		}
	}
	return fields, nil
}

// Prefixed are the headers whose names begin with a prefix, without it; nil if there is none.
func (a *Answer) Prefixed(prefix string) (map[string]string, error) {
	fields, err := a.Headers()
	return Prefixed(fields, prefix), err
}

// Prefixed are those of the fields whose names begin with a prefix, without it; nil if there is
// none.
func Prefixed(fields []Field, prefix string) map[string]string {
	var found map[string]string
	for _, field := range fields {
		if name, has := strings.CutPrefix(field.Name, prefix); has {
			if found == nil {
				found = make(map[string]string)
			}
			found[name] = field.Value
		}
	}
	return found
}

// Body is the whole body, or what is left of a stream.
func (a *Answer) Body() ([]byte, error) {
	size := hostSize(a.handle)
	if size < 0 {
		if guest.CodeOf(size) != guest.FailedPrecondition {
			return nil, Done(size)
		}
		return io.ReadAll(a)
	}
	body := make([]byte, size)
	filled, err := io.ReadFull(a, body)
	if err == io.ErrUnexpectedEOF || err == io.EOF {
		err = nil
	}
	return body[:filled], err
}

// Read reads from the body, and waits until there is some of it.
func (a *Answer) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	count := hostRead(a.handle, unsafe.Pointer(&p[0]), uint32(len(p)))
	if count < 0 {
		return 0, Done(count)
	}
	if count == 0 {
		return 0, io.EOF
	}
	return int(count), nil
}

// Close gives the handle back, and breaks a call off that still runs. Closed already, it does
// nothing.
func (a *Answer) Close() error {
	if a.handle == 0 {
		return nil
	}
	handle := a.handle
	a.handle = 0
	return Done(hostClose(handle))
}

// Whole is the body of the answer that a result stands for.
func Whole(result int32) ([]byte, error) {
	answer, err := Open(result)
	if err != nil {
		return nil, err
	}
	defer answer.Close()
	return answer.Body()
}
