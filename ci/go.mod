module github.com/scenario-archive/scenario-archive/ci

go 1.26
