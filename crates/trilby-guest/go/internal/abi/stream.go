package abi

import "io"

// Stream is an answer whose call has a body that is still being written.
type Stream struct {
	Answer
}

// OpenStream is the stream that a result stands for, or the error.
func OpenStream(result int32) (*Stream, error) {
	if err := Done(result); err != nil {
		return nil, err
	}
	return &Stream{Answer{handle: result}}, nil
}

// Write sends a part of a stream's body, and waits while the other side is slower.
func (s *Stream) Write(p []byte) (int, error) {
	sent := 0
	for sent < len(p) {
		count := hostWrite(s.handle, View(p[sent:]))
		if count < 0 {
			return sent, Done(count)
		}
		if count == 0 {
			return sent, io.ErrShortWrite
		}
		sent += int(count)
	}
	return sent, nil
}

// End says that the body is sent.
func (s *Stream) End() error {
	return Done(hostEnd(s.handle))
}
