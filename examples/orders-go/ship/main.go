// Ships what was ordered, told by the topic `orders`.
package main

import (
	"encoding/json"
	"os"

	"trilby.example/guest/cgi"
	"trilby.example/guest/event"
	"trilby.example/guest/state"
	"trilby.example/orders"
)

func main() {
	cgi.Serve(func(w *cgi.Response, r *cgi.Request) {
		if event.TriggerOf(r) != event.Topic {
			w.Text(400, "this guest is for a topic\n")
			return
		}
		event.Respond(w, ship(r))
	})
}

func ship(r *cgi.Request) event.Status {
	data, err := r.Data()
	if err != nil {
		return retry(err)
	}
	var order orders.Order
	if err := json.Unmarshal(data, &order); err != nil {
		// It would be no better the next time.
		return event.Drop
	}
	// An event may come twice. The second time, nothing changes.
	order.Status = "shipped"
	text, err := json.Marshal(order)
	if err != nil {
		return retry(err)
	}
	err = state.Update(orders.Store, orders.Key(order.ID), func(state.Value) ([]byte, error) {
		return text, nil
	})
	if err != nil {
		return retry(err)
	}
	return event.Success
}

func retry(err error) event.Status {
	os.Stderr.WriteString(err.Error() + "\n")
	return event.Retry
}
