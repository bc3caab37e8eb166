package guide

import (
	"errors"

	"trilby.example/guest"
)

// StatusOf is what a client is told of a call that failed.
func StatusOf(err error) int {
	switch {
	case errors.Is(err, guest.ErrConflict):
		return 409
	case errors.Is(err, guest.ErrNotFound):
		return 404
	case errors.Is(err, guest.ErrUnavailable):
		return 503
	case errors.Is(err, guest.ErrDeadline):
		return 504
	}
	return 500 // guest.ErrDenied, too: the manifest is to be mended.
}
