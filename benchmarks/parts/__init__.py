"""What is measured: each module is one subject, with its workload and its targets."""
