module agentidp.example/proxies

go 1.26
