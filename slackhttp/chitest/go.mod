module example.com/slackalert/slackhttp/chitest

go 1.26

require (
	example.com/slackalert v0.0.0
	github.com/coder/websocket v1.8.15
	github.com/go-chi/chi/v5 v5.5.0
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/gorilla/websocket v1.5.3 // indirect
	github.com/slack-go/slack v0.35.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)

replace example.com/slackalert => ../..
