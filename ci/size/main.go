// Command size names the functions and files, of those given, that are too long, and fails when
// there are any. The tables of cases in tests do not count as lines of the function.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
)

const (
	maxFunction = 60 // lines, from its func to its closing brace
	maxFile     = 400
)

func main() {
	found := 0
	for _, path := range os.Args[1:] {
		long, err := tooLong(path)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		for _, l := range long {
			fmt.Fprintln(os.Stderr, l)
		}
		found += len(long)
	}
	if found > 0 {
		os.Exit(1)
	}
}

func tooLong(path string) (found []string, err error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	if lines := files.File(file.FileStart).LineCount(); lines > maxFile {
		found = append(found, fmt.Sprintf("%s has %d lines; %d is the limit", path, lines, maxFile))
	}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		lines := span(files, f)
		if strings.HasSuffix(path, "_test.go") {
			lines -= tables(files, f)
		}
		if lines > maxFunction {
			found = append(found, fmt.Sprintf("%s: %s has %d lines; %d is the limit", files.Position(f.Pos()), f.Name.Name, lines, maxFunction))
		}
	}
	return found, nil
}

func span(files *token.FileSet, n ast.Node) int {
	return files.Position(n.End()).Line - files.Position(n.Pos()).Line + 1
}

// tables is how many lines the literals in a function have between their first and their last one.
func tables(files *token.FileSet, f *ast.FuncDecl) (lines int) {
	ast.Inspect(f, func(n ast.Node) bool {
		literal, ok := n.(*ast.CompositeLit)
		if ok {
			lines += max(0, span(files, literal)-2)
		}
		return !ok
	})
	return lines
}
