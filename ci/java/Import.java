import io.swagger.v3.parser.OpenAPIV3Parser;
import io.swagger.v3.parser.core.models.ParseOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Reads OpenAPI documents as API Gateway's import does, and fails when there is anything to say about one. */
public class Import {
  public static void main(String[] paths) throws Exception {
    int messages = 0;
    for (String path : paths) {
      var result = new OpenAPIV3Parser().readContents(Files.readString(Path.of(path)), null, new ParseOptions());
      List<String> found = result.getMessages() == null ? List.of() : result.getMessages();
      var api = result.getOpenAPI();
      long operations = api == null || api.getPaths() == null
          ? 0
          : api.getPaths().values().stream().mapToLong(p -> p.readOperations().size()).sum();
      if (operations == 0) found = List.of("no operation is found in it");
      System.out.printf("%s: %d operations, %d messages%n", Path.of(path).getFileName(), operations, found.size());
      found.forEach(m -> System.out.println("  " + m));
      messages += found.size();
    }
    System.exit(paths.length == 0 || messages > 0 ? 1 : 0);
  }
}
