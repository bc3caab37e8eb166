// Package lock takes locks that all instances of all apps with the same store share.
package lock

import (
	"strconv"
	"time"

	"trilby.example/guest/internal/abi"
)

// TryLock takes a lock on a resource, for at most the time given, in whole seconds. It does not
// wait: when somebody holds the lock, the same owner too, the error is guest.ErrConflict.
func TryLock(store, resource, owner string, expiry time.Duration) error {
	// A part of a second is a second: the lock must not end before its holder expects it.
	seconds := (expiry + time.Second - 1) / time.Second
	options := "expiry: " + strconv.FormatInt(int64(seconds), 10) + "\n"
	return abi.Done(hostTryLock(store, resource, owner, options))
}

// Unlock gives a lock back. When nobody holds it, the error is guest.ErrNotFound; when it is
// another owner's, guest.ErrConflict.
func Unlock(store, resource, owner string) error {
	return abi.Done(hostUnlock(store, resource, owner, ""))
}
