package pubsub_test

import (
	"fmt"

	"trilby.example/guest/pubsub"
)

func ExamplePublish() {
	event := []byte(`{"order": 1}`)
	options := &pubsub.Options{ContentType: "application/json"}
	if err := pubsub.Publish("pubsub", "orders", event, options); err != nil {
		fmt.Println(err)
	}
}

func ExamplePublishBulk() {
	events := []pubsub.Event{{ID: "a", Data: []byte("1")}, {ID: "b", Data: []byte("2")}}
	failures, err := pubsub.PublishBulk("pubsub", "orders", events, nil)
	if err != nil {
		fmt.Println(err)
	}
	for _, failure := range failures {
		fmt.Println(failure.ID, failure.Error)
	}
}
