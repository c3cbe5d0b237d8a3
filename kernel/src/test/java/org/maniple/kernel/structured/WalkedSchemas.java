package org.maniple.kernel.structured;

import java.util.List;

/** Ten schemas of the kinds that people send: nested, with enums, bounds, optional fields, references, and characters of all sorts. */
final class WalkedSchemas {

    static final List<String> ALL = List.of(
            // a nested record with optional fields
            """
            {"type":"object","properties":{"name":{"type":"string","minLength":1,"maxLength":20},"age":{"type":"integer","minimum":0,
            "maximum":150},"address":{"type":"object","properties":{"street":{"type":"string","maxLength":30},"zip":{"type":"string",
            "pattern":"^[0-9]{5}$"}},"required":["zip"],"additionalProperties":false},"nick":{"type":["string","null"],"maxLength":8}},
            "required":["name","address"],"additionalProperties":false}""",
            // enums and constants of all types
            """
            {"type":"object","properties":{"color":{"enum":["red","green","blue"]},"level":{"enum":[1,2.5,null,true,"x",[1,2],{"a":"b"}]},
            "kind":{"const":"thing"}},"required":["color","level","kind"]}""",
            // arrays with bounds
            """
            {"type":"array","items":{"type":"array","items":{"type":"integer","minimum":-3,"maximum":12},"minItems":1,"maxItems":3},
            "minItems":2,"maxItems":4}""",
            // strings with bounds, patterns and formats
            """
            {"type":"object","properties":{"id":{"type":"string","format":"uuid"},"day":{"type":"string","format":"date"},"at":{"type":
            "string","format":"date-time"},"ip":{"type":"string","format":"ipv4"},"code":{"type":"string","pattern":"^[A-Z]{2}-?[0-9]+$"},
            "short":{"type":"string","minLength":2,"maxLength":4}},"required":["id","day","at","ip","code","short"]}""",
            // numbers with bounds
            """
            {"type":"object","properties":{"a":{"type":"number","minimum":-1.5,"maximum":2.25},"b":{"type":"number","exclusiveMinimum":0,
            "exclusiveMaximum":1},"c":{"type":"integer","exclusiveMinimum":-100,"maximum":-7},"d":{"type":"number","minimum":1000.125},
            "e":{"type":"integer","maximum":5}},"required":["a","b","c","d","e"]}""",
            // characters of all sorts
            """
            {"type":"object","properties":{"größe":{"type":"string","maxLength":5},"世界":{"enum":["🌍","\\"quoted\\"","a\\\\b","tab\\t"]},
            "\\"":{"type":"string","pattern":"^[äöü\\"\\\\\\\\]{1,3}$"},"any":{"type":"string","maxLength":3}},"required":["世界","\\""]}""",
            // everything optional
            """
            {"type":"object","properties":{"a":{"type":"boolean"},"b":{"type":"null"},"c":{"type":"integer"},"d":{"type":"number"},
            "e":{"type":"string","maxLength":6}},"additionalProperties":{"type":"array","items":{"type":"boolean"},"maxItems":2}}""",
            // references, recursive
            """
            {"$defs":{"tree":{"type":"object","properties":{"value":{"type":"integer"},"children":{"type":"array","items":{"$ref":
            "#/$defs/tree"},"maxItems":2}},"required":["value"],"additionalProperties":false}},"$ref":"#/$defs/tree"}""",
            // alternatives told apart by a constant
            """
            {"type":"array","minItems":1,"maxItems":3,"items":{"oneOf":[{"type":"object","properties":{"type":{"const":"circle"},"r":
            {"type":"number","exclusiveMinimum":0}},"required":["type","r"],"additionalProperties":false},{"type":"object","properties":
            {"type":{"const":"square"},"side":{"type":"number","minimum":1,"maximum":9}},"required":["type","side"],
            "additionalProperties":false}]}}""",
            // tuples, combinations and merges
            """
            {"type":"array","prefixItems":[{"anyOf":[{"type":"integer"},{"type":"string","maxLength":3}]},{"allOf":[{"type":"object",
            "properties":{"x":{"type":"integer"}},"required":["x"]},{"properties":{"x":{"minimum":10,"maximum":99},"y":{"type":"null"}},
            "required":["y"]}]},{"type":"boolean"}],"items":false,"minItems":2}""");

    private WalkedSchemas() {}
}
