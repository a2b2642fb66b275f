import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import software.amazon.event.ruler.Machine;

/** Asks EventBridge's own matcher whether events match patterns: an array of {rule, pattern, case, event, matches}. */
public class Rules {
  @SuppressWarnings("deprecation")
  public static void main(String[] args) throws Exception {
    int wrong = 0, asked = 0;
    for (JsonNode question : new ObjectMapper().readTree(Path.of(args[0]).toFile())) {
      var machine = new Machine();
      machine.addRule("rule", question.get("pattern").toString());
      boolean matches = !machine.rulesForJSONEvent(question.get("event").toString()).isEmpty();
      asked++;
      if (matches == question.get("matches").asBoolean()) continue;
      wrong++;
      System.out.printf("%s %s: %s%n", question.get("rule").asText(), matches ? "matches" : "does not match", question.get("case").asText());
    }
    System.out.printf("%d questions about rules, %d wrong answers%n", asked, wrong);
    System.exit(asked == 0 || wrong > 0 ? 1 : 0);
  }
}
