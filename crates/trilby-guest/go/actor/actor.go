// Package actor calls actors, and reaches the state, reminders and timers of those that this very
// sidecar hosts.
package actor

import "trilby.example/guest/internal/abi"

// InvokeOptions are the options of [Invoke].
type InvokeOptions struct {
	// Metadata is passed to the actor.
	Metadata map[string]string
}

// Invoke calls a method of an actor.
func Invoke(actorType, id, method string, data []byte, options *InvokeOptions) ([]byte, error) {
	block, err := options.block()
	if err != nil {
		return nil, err
	}
	return abi.Whole(hostInvoke(actorType, id, method, block, abi.View(data)))
}

// GetState reads a key of an actor's state: JSON, or empty when the key is missing.
func GetState(actorType, id, key string) ([]byte, error) {
	return abi.Whole(hostGetState(actorType, id, key, ""))
}

// Operation is one step of [TransactState].
type Operation struct {
	Key string
	// Delete removes the key; otherwise Value, which is JSON, is written.
	Delete   bool
	Value    []byte
	Metadata map[string]string
}

// TransactState does all steps, or none.
func TransactState(actorType, id string, operations []Operation) error {
	var records abi.Records
	for _, step := range operations {
		if step.Delete {
			records.Text("operation", "delete")
		} else {
			records.Text("operation", "upsert")
		}
		records.Text("key", step.Key)
		if !step.Delete {
			records.Bytes("value", step.Value)
		}
		records.Metadata(step.Metadata)
		records.End()
	}
	list, err := records.List()
	if err != nil {
		return err
	}
	return abi.Done(hostTransactState(actorType, id, "", list))
}

func (o *InvokeOptions) block() (string, error) {
	if o == nil {
		return "", nil
	}
	var options abi.Options
	options.Metadata(o.Metadata)
	return options.Block()
}
