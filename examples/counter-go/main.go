//go:build wasip1

// A counter: GET /count tells the number, POST /count adds one to it.
package main

import (
	"fmt"
	"os"
	"strconv"
)

const (
	store = "statestore"
	key   = "counter"

	// How often an increment is tried before the guest gives up. Of several that meet, one gets on in
	// each round, and an unlucky one may wait for many rounds.
	attemptsMax = 100
)

func main() {
	switch os.Getenv("REQUEST_METHOD") {
	case "GET", "HEAD":
		respond(read())
	case "POST":
		respond(increment())
	default:
		fmt.Print("Status: 405\nAllow: GET, HEAD, POST\n\n")
	}
}

func read() (uint64, error) {
	value, _, err := getState(store, key)
	if err != nil {
		return 0, err
	}
	return parse(value)
}

// increment adds one under the etag it has seen, and again from the start when another request
// was faster.
func increment() (uint64, error) {
	for attempt := 1; ; attempt++ {
		value, etag, err := getState(store, key)
		if err != nil {
			return 0, err
		}
		count, badNumber := parse(value)
		if badNumber != nil {
			return 0, badNumber
		}
		count++
		err = setState(store, key, strconv.FormatUint(count, 10), etag)
		if err == nil {
			return count, nil
		}
		if !err.isConflict() || attempt == attemptsMax {
			return 0, err
		}
	}
}

// parse reads the stored number; a missing key is 0.
func parse(value string) (uint64, error) {
	if value == "" {
		return 0, nil
	}
	return strconv.ParseUint(value, 10, 64)
}

func respond(count uint64, err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		fmt.Print("Status: 503\nContent-Type: text/plain\n\nthe counter is out of order\n")
		return
	}
	fmt.Printf("Content-Type: text/plain\n\n%d\n", count)
}
