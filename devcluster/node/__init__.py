"""A whole one-node Kubernetes cluster on this machine, which runs pods: for `make e2e`, where what ships is what is tested.

No container engine and no image registry are needed. Everything runs in namespaces of its own (mount, PID, network, UTS, IPC):
when their first process ends, the kernel ends all others and takes mounts, links, routes and firewall rules with them. This
machine's own mounts, firewall and kernel settings are never changed.
"""
