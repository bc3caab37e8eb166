package guide

import (
	"strconv"

	"trilby.example/guest/state"
)

// Count adds one. What is missing, or no number, counts as 0.
func Count() error {
	return state.Update("statestore", "hits", func(seen state.Value) ([]byte, error) {
		hits, _ := strconv.Atoi(string(seen.Data))
		return strconv.AppendInt(nil, int64(hits+1), 10), nil
	})
}

// CheckOut makes an order of a cart: both steps are done, or none.
func CheckOut() error {
	day := map[string]string{"ttlInSeconds": "86400"}
	return state.Transact("statestore", []state.Operation{
		state.Item{
			Key:        "order-7",
			Value:      []byte(`{"paid":true}`),
			SetOptions: state.SetOptions{Metadata: day},
		},
		state.Deletion{Key: "cart-7"},
	}, nil)
}
