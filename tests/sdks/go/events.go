package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	dapr "github.com/dapr/go-sdk/client"
	"github.com/dapr/go-sdk/service/common"
	"google.golang.org/grpc/codes"
)

// next waits for what must come.
func next[T any](from <-chan T) (T, error) {
	select {
	case value := <-from:
		return value, nil
	case <-time.After(patience):
		var none T
		return none, errors.New("nothing came")
	}
}

func publishAndSubscribe(ctx context.Context, client dapr.Client) error {
	events := make(chan *common.TopicEvent, 8)
	orders := dapr.SubscriptionOptions{PubsubName: "pubsub", Topic: "orders"}
	stop, err := client.SubscribeWithHandler(ctx, orders,
		func(event *common.TopicEvent) common.SubscriptionResponseStatus {
			events <- event
			return common.SubscriptionResponseStatusSuccess
		})
	if err != nil {
		return err
	}
	order := map[string]any{"id": 7}
	if err := client.PublishEvent(ctx, "pubsub", "orders", order); err != nil {
		return err
	}
	event, err := next(events)
	if err != nil {
		return err
	}
	err = first(
		same(event.Data, any(map[string]any{"id": 7.0})),
		same([]string{event.Topic, event.PubsubName, event.Source}, []string{"orders", "pubsub", app}),
		same([]string{event.Type, event.SpecVersion}, []string{"com.dapr.event.sent", "1.0"}),
		client.PublishEvent(ctx, "pubsub", "orders", "plain"),
	)
	if err != nil {
		return err
	}
	plain, err := next(events)
	if err != nil {
		return err
	}
	return first(
		same(plain.Data, any("plain")),
		stop(),
		fails(client.PublishEvent(ctx, "nowhere", "t", "x"), codes.InvalidArgument),
	)
}

// An event that is wanted again comes again; a batch comes whole.
func subscribeAgain(ctx context.Context, client dapr.Client) error {
	batches := dapr.SubscriptionOptions{PubsubName: "pubsub", Topic: "batches"}
	subscription, err := client.Subscribe(ctx, batches)
	if err != nil {
		return err
	}
	// pubsub.in-memory of daprd keeps its publisher until its events are done.
	sent := make(chan error, 1)
	go func() {
		sent <- client.PublishEvents(ctx, "pubsub", "batches", []any{"one", "two"}).Error
	}()
	seen, refused := map[any]bool{}, false
	for len(seen) < 2 {
		event, err := subscription.Receive()
		if err != nil {
			return err
		}
		if event.Data == "one" && !refused {
			refused = true
			err = event.Retry()
		} else {
			seen[event.Data] = true
			err = event.Success()
		}
		if err != nil {
			return err
		}
	}
	failed, err := next(sent)
	return first(
		err,
		failed,
		same(seen, map[any]bool{"one": true, "two": true}),
		same(refused, true),
		subscription.Close(),
	)
}

func configuration(ctx context.Context, client dapr.Client) error {
	items, err := client.GetConfigurationItems(ctx, "configuration", []string{"color", "missing"})
	if err != nil {
		return err
	}
	color := items["color"]
	if len(items) != 1 || color == nil || color.Value != "red" || color.Version != "1" {
		return fmt.Errorf("strange items: %+v", items)
	}
	changes := make(chan string, 8)
	watching, stop := context.WithCancel(ctx)
	defer stop()
	_, err = client.SubscribeConfigurationItems(watching, "configuration", []string{"color"},
		func(_ string, items map[string]*dapr.ConfigurationItem) { changes <- items["color"].Value })
	if err != nil {
		return err
	}
	// Whoever runs this sets the color to blue now.
	fmt.Println("waiting for blue")
	for {
		value, err := next(changes)
		if err != nil || value == "blue" {
			return err
		}
	}
}

func jobs(ctx context.Context, client dapr.Client) error {
	job := &dapr.Job{Name: "later", Schedule: "@every 1h", Repeats: 3}
	if err := client.ScheduleJobAlpha1(ctx, job); err != nil {
		return err
	}
	found, err := client.GetJobAlpha1(ctx, "later")
	if err != nil {
		return err
	}
	if err := same([]any{found.Name, found.Schedule}, []any{"later", "@every 1h"}); err != nil {
		return err
	}
	if err := client.DeleteJobAlpha1(ctx, "later"); err != nil {
		return err
	}
	_, err = client.GetJobAlpha1(ctx, "later")
	return fails(err, codes.Internal)
}
