// Package binding invokes output bindings. Input bindings come as requests: see package event.
package binding

import "trilby.example/guest/internal/abi"

// Options are the options of [Invoke].
type Options struct {
	// Metadata is passed to the binding, such as fileName.
	Metadata map[string]string
}

// Answer is what a binding gives back.
type Answer struct {
	Data     []byte
	Metadata map[string]string
}

// Invoke asks a binding for one of its operations, such as create, get or list.
func Invoke(binding, operation string, data []byte, options *Options) (Answer, error) {
	block, err := options.block()
	if err != nil {
		return Answer{}, err
	}
	opened, err := abi.Open(hostInvoke(binding, operation, block, abi.View(data)))
	if err != nil {
		return Answer{}, err
	}
	defer opened.Close()
	var answer Answer
	if answer.Metadata, err = opened.Prefixed("metadata."); err != nil {
		return Answer{}, err
	}
	answer.Data, err = opened.Body()
	return answer, err
}

func (o *Options) block() (string, error) {
	if o == nil {
		return "", nil
	}
	var options abi.Options
	options.Metadata(o.Metadata)
	return options.Block()
}
