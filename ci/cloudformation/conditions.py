"""Settles the template's conditions as CloudFormation does."""

NO_VALUE = {"Ref": "AWS::NoValue"}


class Conditions:
    def __init__(self, template, parameters):
        self._parameters = {n: p.get("Default") for n, p in template.get("Parameters", {}).items()} | parameters
        self._conditions = template.get("Conditions", {})

    def holds(self, name):
        return self._value({"Condition": name})

    def _value(self, node):
        if not isinstance(node, dict):
            return str(node)
        (function, argument), = node.items()
        if function == "Ref":
            return str(self._parameters[argument])
        if function == "Condition":
            return self._value(self._conditions[argument])
        if function == "Fn::Join":
            return self._value(argument[1])  # of a list given as text, only whether it is empty matters here
        values = [self._value(a) for a in argument]
        return {"Fn::Equals": lambda: values[0] == values[1], "Fn::Not": lambda: not values[0],
                "Fn::And": lambda: all(values), "Fn::Or": lambda: any(values)}[function]()

    def settle(self, node):
        """The node with every Fn::If decided, and without what is AWS::NoValue."""
        if isinstance(node, list):
            return [v for v in map(self.settle, node) if v != NO_VALUE]
        if not isinstance(node, dict):
            return node
        if "Fn::If" in node:
            condition, yes, no = node["Fn::If"]
            return self.settle(yes if self.holds(condition) else no)
        settled = {k: self.settle(v) for k, v in node.items()}
        return {k: v for k, v in settled.items() if v != NO_VALUE} if node != NO_VALUE else node
