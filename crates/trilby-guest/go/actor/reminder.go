package actor

import "trilby.example/guest/internal/abi"

// ReminderOptions are the options of [RegisterReminder]. Times are as Dapr writes them.
type ReminderOptions struct {
	DueTime, Period, TTL string
	// KeepOld is for a reminder that must not take the place of one of the same name, which is an
	// error then.
	KeepOld bool
}

// Reminder is a reminder that is registered.
type Reminder struct {
	DueTime, Period, TTL string
	// Data is JSON.
	Data []byte
}

// TimerOptions are the options of [RegisterTimer]. Times are as Dapr writes them.
type TimerOptions struct {
	DueTime, Period, TTL string
	// Callback is the method that is called; the timer's name if it is empty.
	Callback string
}

// RegisterReminder has an actor called at its times, also after a restart. The data is JSON.
func RegisterReminder(actorType, id, name string, data []byte, options *ReminderOptions) error {
	block, err := options.block()
	if err != nil {
		return err
	}
	return abi.Done(hostRegisterReminder(actorType, id, name, block, abi.View(data)))
}

// GetReminder tells about a reminder.
func GetReminder(actorType, id, name string) (Reminder, error) {
	answer, err := abi.Open(hostGetReminder(actorType, id, name, ""))
	if err != nil {
		return Reminder{}, err
	}
	defer answer.Close()
	var reminder Reminder
	fields := map[string]*string{
		"due-time": &reminder.DueTime, "period": &reminder.Period, "ttl": &reminder.TTL,
	}
	for name, value := range fields {
		if *value, err = answer.Header(name); err != nil {
			return Reminder{}, err
		}
	}
	reminder.Data, err = answer.Body()
	return reminder, err
}

// UnregisterReminder removes a reminder.
func UnregisterReminder(actorType, id, name string) error {
	return abi.Done(hostUnregisterReminder(actorType, id, name, ""))
}

// RegisterTimer has an actor called at its times, as long as it is active.
func RegisterTimer(actorType, id, name string, data []byte, options *TimerOptions) error {
	block, err := options.block()
	if err != nil {
		return err
	}
	return abi.Done(hostRegisterTimer(actorType, id, name, block, abi.View(data)))
}

// UnregisterTimer removes a timer.
func UnregisterTimer(actorType, id, name string) error {
	return abi.Done(hostUnregisterTimer(actorType, id, name, ""))
}

func (o *ReminderOptions) block() (string, error) {
	if o == nil {
		return "", nil
	}
	var options abi.Options
	options.Text("due-time", o.DueTime)
	options.Text("period", o.Period)
	options.Text("ttl", o.TTL)
	if o.KeepOld {
		options.Text("overwrite", "false")
	}
	return options.Block()
}

func (o *TimerOptions) block() (string, error) {
	if o == nil {
		return "", nil
	}
	var options abi.Options
	options.Text("due-time", o.DueTime)
	options.Text("period", o.Period)
	options.Text("ttl", o.TTL)
	options.Text("callback", o.Callback)
	return options.Block()
}
