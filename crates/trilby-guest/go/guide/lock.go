package guide

import (
	"errors"
	"time"

	"trilby.example/guest"
	"trilby.example/guest/lock"
)

// Alone does what only one may do at a time, unless somebody is at it. The owner's name is one of
// this request.
func Alone(owner string, report func() error) error {
	err := lock.TryLock("lockstore", "report", owner, 30*time.Second)
	if errors.Is(err, guest.ErrConflict) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(report(), lock.Unlock("lockstore", "report", owner))
}
