//go:build !wasip1

package pubsub

import "trilby.example/guest/internal/abi"

func hostPublish(pubsub, topic, options, data string) int32 {
	return abi.Call("dapr_pubsub_v1", "publish", pubsub, topic, options, data)
}

func hostPublishBulk(pubsub, topic, options, records string) int32 {
	return abi.Call("dapr_pubsub_v1", "publish_bulk", pubsub, topic, options, records)
}
