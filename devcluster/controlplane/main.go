// Package main is what a Kubernetes control plane needs, in one binary: `controlplane etcd …`,
// `controlplane kube-apiserver …`, `controlplane kube-controller-manager …`, and `controlplane helm …`.
//
// Only the chosen command is built: their flag sets collide when they share a process.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	helm "helm.sh/helm/v4/pkg/cmd"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

func main() {
	if len(os.Args) < 2 {
		usage()
	}
	switch name, args := os.Args[1], os.Args[2:]; name {
	case "etcd":
		etcdmain.Main(append([]string{"etcd"}, args...))
	case "kube-apiserver":
		run(apiserver.NewAPIServerCommand(), args)
	case "kube-controller-manager":
		run(controllermanager.NewControllerManagerCommand(), args)
	case "helm":
		runHelm(args)
	default:
		usage()
	}
}

func run(command *cobra.Command, args []string) {
	command.SetArgs(args)
	os.Exit(cli.Run(command))
}

// runHelm is helm's own main without the plugins of cloud vendors: it has written the error already.
func runHelm(args []string) {
	command, err := helm.NewRootCmd(os.Stdout, args, helm.SetupLogging)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	command.SetArgs(args)
	if command.Execute() != nil {
		os.Exit(1)
	}
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: controlplane etcd|kube-apiserver|kube-controller-manager|helm [flag ...]")
	os.Exit(2)
}
