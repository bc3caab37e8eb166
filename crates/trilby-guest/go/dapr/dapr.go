// Package dapr calls any unary rpc of Dapr that has no function of its own in another package.
package dapr

import "trilby.example/guest/internal/abi"

// Options are the options of [Call].
type Options struct {
	// Metadata goes along as gRPC metadata.
	Metadata map[string]string
}

// Call calls an rpc by its name in dapr.proto.runtime.v1.Dapr, such as ListActorReminders. Request
// and answer are its messages in protobuf. The embedded runtime knows no such rpc.
func Call(method string, request []byte, options *Options) ([]byte, error) {
	block, err := options.block()
	if err != nil {
		return nil, err
	}
	return abi.Whole(hostCall(method, block, abi.View(request)))
}

func (o *Options) block() (string, error) {
	if o == nil {
		return "", nil
	}
	var options abi.Options
	options.Metadata(o.Metadata)
	return options.Block()
}
