// This example is how a test uses the server.

package fakeslack_test

import (
	"fmt"

	"example.com/slackalert/fakeslack"
	"github.com/slack-go/slack"
)

// A program under test is given the server's address for Slack's. What it sent
// can be read back, and Slack can be made to fail.
func Example() {
	server, err := fakeslack.Start(&fakeslack.Options{Token: "xoxb-test"})
	if err != nil {
		panic(err)
	}
	defer server.Close()
	client := slack.New("xoxb-test", slack.OptionAPIURL(server.APIURL()))

	server.FailNext(1, fakeslack.Fault{Error: "not_in_channel"})
	for range 2 {
		_, _, err = client.PostMessage("#shop", slack.MsgOptionText("hello", false))
		fmt.Println(err)
	}
	for _, m := range server.Messages("#shop") {
		fmt.Println(m.Channel, m.Text)
	}
	// Output:
	// not_in_channel
	// <nil>
	// #shop hello
}
