package lock_test

import (
	"errors"
	"fmt"
	"time"

	"trilby.example/guest"
	"trilby.example/guest/lock"
)

func ExampleTryLock() {
	err := lock.TryLock("locks", "report", "me", time.Minute)
	if errors.Is(err, guest.ErrConflict) {
		fmt.Println("somebody else does it")
		return
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	defer lock.Unlock("locks", "report", "me")
	// What only one may do at a time.
}
