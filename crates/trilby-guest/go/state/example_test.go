package state_test

import (
	"errors"
	"fmt"

	"trilby.example/guest"
	"trilby.example/guest/state"
)

func Example() {
	seen, err := state.Get("statestore", "colour", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	// Only if nobody has changed it meanwhile, and for an hour.
	err = state.Set("statestore", "colour", []byte("blue"), &state.SetOptions{
		ETag:        seen.ETag,
		Concurrency: state.FirstWrite,
		Metadata:    map[string]string{"ttlInSeconds": "3600"},
	})
	if errors.Is(err, guest.ErrConflict) {
		fmt.Println("somebody was faster")
	}
}

func ExampleUpdate() {
	err := state.Update("statestore", "log", func(seen state.Value) ([]byte, error) {
		return append(seen.Data, "one more\n"...), nil
	})
	if err != nil {
		fmt.Println(err)
	}
}

func ExampleTransact() {
	err := state.Transact("statestore", []state.Operation{
		state.Item{Key: "order-1", Value: []byte(`{"paid": true}`)},
		state.Deletion{Key: "cart-1"},
	}, nil)
	if err != nil {
		fmt.Println(err)
	}
}
