// Package orders is what the two guests share.
package orders

// Store is the component that keeps the orders.
const Store = "statestore"

// Order is an order, as it is kept and told.
type Order struct {
	ID     string `json:"id"`
	Item   string `json:"item"`
	Status string `json:"status"`
}

// Key is where an order is kept.
func Key(id string) string {
	return "order-" + id
}
