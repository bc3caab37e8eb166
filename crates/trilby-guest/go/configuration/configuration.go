// Package configuration reads configuration. Changes come as requests: see package event.
package configuration

import "trilby.example/guest/internal/abi"

// Options are the options of [Get].
type Options struct {
	// Metadata is passed to the component.
	Metadata map[string]string
}

// Item is what a store holds under a key.
type Item struct {
	Value, Version string
	Metadata       map[string]string
}

// Get reads keys, or all that are granted if none is named. What is missing is not in the answer.
func Get(store string, keys []string, options *Options) (map[string]Item, error) {
	block, err := options.block()
	if err != nil {
		return nil, err
	}
	list, err := abi.Keys(keys)
	if err != nil {
		return nil, err
	}
	body, err := abi.Whole(hostGet(store, block, list))
	if err != nil {
		return nil, err
	}
	type record struct {
		Key string
		Item
		Base64 []byte `json:"value-base64"`
	}
	records, err := abi.Parse[record](body)
	if err != nil {
		return nil, err
	}
	items := make(map[string]Item, len(records))
	for _, r := range records {
		if r.Base64 != nil {
			r.Value = string(r.Base64)
		}
		items[r.Key] = r.Item
	}
	return items, nil
}

func (o *Options) block() (string, error) {
	if o == nil {
		return "", nil
	}
	var options abi.Options
	options.Metadata(o.Metadata)
	return options.Block()
}
