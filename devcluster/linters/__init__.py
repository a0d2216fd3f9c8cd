"""Linters of the chart as Helm renders it: kubeconform and kube-score.

They are compiled from Go modules like the control plane, and what they read comes from package registries: nothing is fetched
from elsewhere.
"""
