// Package pubsub publishes events. They come to a guest as requests: see package event.
package pubsub

import "trilby.example/guest/internal/abi"

// Options are the options of [Publish] and [PublishBulk].
type Options struct {
	// ContentType is the data's media type. Dapr takes text/plain without one.
	ContentType string
	// Metadata is passed on, such as ttlInSeconds, cloudevent.type, or rawPayload, which with the
	// value true sends the data as it is, without an envelope.
	Metadata map[string]string
}

func (o *Options) block() (string, error) {
	if o == nil {
		return "", nil
	}
	var options abi.Options
	options.Text("content-type", o.ContentType)
	options.Metadata(o.Metadata)
	return options.Block()
}

// Event is one event of [PublishBulk].
type Event struct {
	// ID tells the events of the list apart; an event without one has its number, from 0.
	ID   string
	Data []byte
	// ContentType is that of the options if it is empty.
	ContentType string
	Metadata    map[string]string
}

// Failure is an event that was not published.
type Failure struct {
	ID, Error string
}

// Publish publishes an event.
func Publish(pubsub, topic string, data []byte, options *Options) error {
	block, err := options.block()
	if err != nil {
		return err
	}
	return abi.Done(hostPublish(pubsub, topic, block, abi.View(data)))
}

// PublishBulk publishes many events, and names those which were not published.
func PublishBulk(pubsub, topic string, events []Event, options *Options) ([]Failure, error) {
	block, err := options.block()
	if err != nil {
		return nil, err
	}
	var records abi.Records
	for _, event := range events {
		records.Text("id", event.ID)
		records.Bytes("data", event.Data)
		records.Text("content-type", event.ContentType)
		records.Metadata(event.Metadata)
		records.End()
	}
	list, err := records.List()
	if err != nil {
		return nil, err
	}
	body, err := abi.Whole(hostPublishBulk(pubsub, topic, block, list))
	if err != nil {
		return nil, err
	}
	return abi.Parse[Failure](body)
}
