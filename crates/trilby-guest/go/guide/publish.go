package guide

import (
	"fmt"
	"os"

	"trilby.example/guest/pubsub"
)

// Place tells about one order.
func Place() error {
	json := &pubsub.Options{ContentType: "application/json"}
	return pubsub.Publish("pubsub", "orders", []byte(`{"item":"tea"}`), json)
}

// PlaceAll tells about many. The error is one of all; failures are those of some.
func PlaceAll() error {
	failures, err := pubsub.PublishBulk("pubsub", "orders", []pubsub.Event{
		{ID: "a", Data: []byte(`{"item":"tea"}`)},
		{ID: "b", Data: []byte(`{"item":"cake"}`)},
	}, &pubsub.Options{ContentType: "application/json"})
	for _, failure := range failures {
		fmt.Fprintln(os.Stderr, failure.ID, "is lost:", failure.Error)
	}
	return err
}
