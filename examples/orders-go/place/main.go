// Takes orders: POST /orders with what is ordered as the body, GET /orders/ID tells about one.
package main

import (
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"strings"

	"trilby.example/guest"
	"trilby.example/guest/cgi"
	"trilby.example/guest/pubsub"
	"trilby.example/guest/state"
	"trilby.example/orders"
)

func main() {
	cgi.Serve(func(w *cgi.Response, r *cgi.Request) {
		id := strings.Trim(r.Path, "/")
		switch {
		case r.Method == "POST" && id == "":
			place(w, r)
		case r.Method == "GET" && id != "":
			tell(w, id)
		default:
			w.Text(405, "POST /orders, or GET /orders/ID\n")
		}
	})
}

func place(w *cgi.Response, r *cgi.Request) {
	item, err := r.Data()
	if err != nil || len(item) == 0 {
		w.Text(400, "an order needs an item\n")
		return
	}
	id, err := nextID()
	if err != nil {
		refuse(w, err)
		return
	}
	text, err := json.Marshal(orders.Order{ID: id, Item: string(item), Status: "new"})
	if err != nil {
		refuse(w, err)
		return
	}
	if err := state.Set(orders.Store, orders.Key(id), text, nil); err != nil {
		refuse(w, err)
		return
	}
	// Published only once the order is kept: whoever ships it must find it.
	options := &pubsub.Options{ContentType: "application/json"}
	if err := pubsub.Publish("pubsub", "orders", text, options); err != nil {
		refuse(w, err)
		return
	}
	w.JSON(201, append(text, '\n'))
}

// nextID counts the orders. Requests that meet get numbers of their own: the count is written under
// the etag that was read, and again from the start when another request was faster.
func nextID() (string, error) {
	var count uint64
	err := state.Update(orders.Store, "orders", func(seen state.Value) ([]byte, error) {
		count = 0
		if seen.Exists() {
			var err error
			if count, err = strconv.ParseUint(string(seen.Data), 10, 64); err != nil {
				return nil, err
			}
		}
		count++
		return strconv.AppendUint(nil, count, 10), nil
	})
	return strconv.FormatUint(count, 10), err
}

func tell(w *cgi.Response, id string) {
	order, err := state.Get(orders.Store, orders.Key(id), nil)
	switch {
	case err != nil:
		refuse(w, err)
	case !order.Exists():
		w.Text(404, "no such order\n")
	default:
		w.JSON(200, append(order.Data, '\n'))
	}
}

func refuse(w *cgi.Response, err error) {
	os.Stderr.WriteString(err.Error() + "\n")
	if errors.Is(err, guest.ErrConflict) || errors.Is(err, guest.ErrUnavailable) {
		w.Text(503, "try again later\n")
		return
	}
	w.Text(500, "out of order\n")
}
