package guest_test

import (
	"errors"
	"fmt"

	"trilby.example/guest"
)

func ExampleError() {
	var err error = guest.ParseError(guest.Aborted, "reason: ERR_STATE_SAVE\n\nthe etag is old")

	if errors.Is(err, guest.ErrConflict) {
		fmt.Println("somebody was faster")
	}
	var refused *guest.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Code, refused.Reason, refused.Message)
	}
	// Output:
	// somebody was faster
	// ABORTED ERR_STATE_SAVE the etag is old
}
