package guest

import (
	"errors"
	"strings"
)

// The five kinds of error that a guest can act on. Test for them with [errors.Is].
var (
	// ErrConflict means that somebody else was faster: the etag was not current, or the lock is
	// held. Read again and retry.
	ErrConflict = errors.New("conflict")
	// ErrNotFound means that the target does not exist.
	ErrNotFound = errors.New("not found")
	// ErrDenied means that the route has no grant for the target, or that Dapr refused it.
	ErrDenied = errors.New("denied")
	// ErrUnavailable means that Dapr cannot be reached at the moment.
	ErrUnavailable = errors.New("unavailable")
	// ErrDeadline means that the answer did not come in time. A write may have happened all the
	// same.
	ErrDeadline = errors.New("deadline exceeded")
)

// Error is a call that the host or Dapr refused.
type Error struct {
	// Code is the kind of error.
	Code Code
	// Reason is Dapr's word for it, such as ERR_STATE_SAVE, or the host's, which begins with
	// TRILBY_. It is empty where there is none.
	Reason string
	// Message is a sentence for people.
	Message string
}

// Error gives the code, the reason if there is one, and the message.
func (e *Error) Error() string {
	text := e.Code.String()
	if e.Reason != "" {
		text += " (" + e.Reason + ")"
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// Is tells whether the error is of one of the five kinds.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrConflict:
		return e.Code == Aborted
	case ErrNotFound:
		return e.Code == NotFound
	case ErrDenied:
		return e.Code == PermissionDenied
	case ErrUnavailable:
		return e.Code == Unavailable
	case ErrDeadline:
		return e.Code == DeadlineExceeded
	}
	return false
}

// ParseError makes an error of a code and the host's text about it: a header block, a blank line
// and a sentence.
func ParseError(code Code, text string) *Error {
	head, message, _ := strings.Cut(text, "\n\n")
	err := &Error{Code: code, Message: strings.TrimRight(message, "\r\n")}
	for line := range strings.Lines(head) {
		if name, value, found := strings.Cut(line, ":"); found && name == "reason" {
			err.Reason = strings.TrimSpace(value)
		}
	}
	return err
}
