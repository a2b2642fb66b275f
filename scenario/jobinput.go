package scenario

import "slices"

// The lists of a query, by their names in JSON.
func (q Query) lists() map[string][]string {
	return map[string][]string{"assetIds": q.AssetIDs, "inferenceIds": q.InferenceIDs, "modelIds": q.ModelIDs}
}

// part is an input's object of that name, or the input itself where its fields stand at the top.
func part(input map[string]any, name string) map[string]any {
	if o := object(input, name); o != nil {
		return o
	}
	return input
}

// says reports whether a job's input says what was asked for.
func says(input map[string]any) bool {
	query := part(input, "query")
	for name := range (Query{}).lists() {
		if _, ok := query[name].([]any); ok {
			return true
		}
	}
	return false
}

// isInput reports whether a job's input is this request. In doubt it is not: an option that the request leaves to the
// API, and that the job has with another value than the API's documented default, is another request.
func (r ArchiveRequest) isInput(input map[string]any) bool {
	query, options := part(input, "query"), part(input, "options")
	for name, ids := range r.Query.lists() {
		if !sameIDs(ids, query[name]) {
			return false
		}
	}
	template, _ := options["fileNameTemplate"].(string)
	if template != r.Options.FileNameTemplate && (r.Options.FileNameTemplate != "" || template != DefaultFileNameTemplate) {
		return false
	}
	flat, _ := options["flat"].(bool)
	original, _ := options["preferOriginal"].(bool)
	name, _ := options["archiveName"].(string)
	return flat == (r.Options.Flat != nil && *r.Options.Flat) && original == r.Options.PreferOriginal &&
		(r.Options.ArchiveName == "" || name == r.Options.ArchiveName)
}

// sameIDs compares as sets: an ID that is given twice is one asset.
func sameIDs(ids []string, value any) bool {
	list, _ := value.([]any)
	given := make([]string, 0, len(list))
	for _, v := range list {
		id, ok := v.(string)
		if !ok {
			return false
		}
		given = append(given, id)
	}
	return slices.Equal(distinct(ids), distinct(given))
}

// distinct is the IDs in order, each once.
func distinct(ids []string) []string { return slices.Compact(slices.Sorted(slices.Values(ids))) }
