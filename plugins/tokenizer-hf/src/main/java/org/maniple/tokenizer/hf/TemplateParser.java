package org.maniple.tokenizer.hf;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.maniple.tokenizer.hf.TemplateToken.Kind;

/** Reads the statements of a template. */
final class TemplateParser {
    private static final Set<String> CONSTANTS = Set.of("true", "false", "none", "True", "False", "None");
    private static final int LONGEST = 1 << 20;

    private final TokenCursor cursor;
    private final ExpressionParser expressions;
    private int loops;

    private TemplateParser(TokenCursor cursor) {
        this.cursor = cursor;
        this.expressions = new ExpressionParser(cursor);
    }

    static List<Statement> parse(String template) {
        if (template.length() > LONGEST) {
            throw TemplateException.syntax(0, "is longer than " + LONGEST + " characters");
        }
        var parser = new TemplateParser(new TokenCursor(TemplateLexer.tokens(template)));
        return parser.body("", List.of());
    }

    /** Statements up to a block whose name is in {@code ends}; the cursor then stands on that name. */
    private List<Statement> body(String block, List<String> ends) {
        cursor.enter();
        var statements = new ArrayList<Statement>();
        while (true) {
            var token = cursor.next();
            switch (token.kind()) {
                case DATA -> statements.add(new Statement.Text(token.line(), token.text()));
                case VARIABLE_BEGIN -> {
                    statements.add(new Statement.Output(token.line(), expressions.tuple(true, null)));
                    cursor.expect(Kind.VARIABLE_END);
                }
                case BLOCK_BEGIN -> {
                    if (cursor.current().kind() == Kind.NAME && ends.contains(cursor.current().text())) {
                        cursor.leave(1);
                        return List.copyOf(statements);
                    }
                    statements.add(statement());
                    cursor.expect(Kind.BLOCK_END);
                }
                case END -> {
                    if (!ends.isEmpty()) {
                        throw cursor.error("Unexpected end of template. Jinja was looking for the following tags: "
                                + String.join(" or ", ends.stream().map(end -> "'" + end + "'").toList())
                                + ". The innermost block that needs to be closed is '" + block + "'.");
                    }
                    cursor.leave(1);
                    return List.copyOf(statements);
                }
                default -> throw cursor.error("unexpected '" + token.describe() + "'");
            }
        }
    }

    /** The statement whose name the cursor stands on, up to its last token before the end of the block. */
    private Statement statement() {
        var name = cursor.expect(Kind.NAME);
        return switch (name.text()) {
            case "if" -> choice(name.line());
            case "for" -> loop(name.line());
            case "set" -> set(name.line());
            case "macro" -> macro(name.line());
            case "call" -> call(name.line());
            case "filter" -> filter(name.line());
            case "with" -> with(name.line());
            case "generation" -> new Statement.Group(name.line(), block("generation"));
            case "break" -> jump(new Statement.Break(name.line()));
            case "continue" -> jump(new Statement.Continue(name.line()));
            default -> throw TemplateException.syntax(name.line(), "Encountered unknown tag '" + name.text() + "'.");
        };
    }

    private Statement jump(Statement statement) {
        if (loops == 0) {
            throw cursor.error("break and continue belong into a loop");
        }
        return statement;
    }

    /** The rest of an opening tag, the body and the name of the end tag. */
    private List<Statement> block(String name) {
        cursor.expect(Kind.BLOCK_END);
        var body = body(name, List.of("end" + name));
        cursor.next();
        return body;
    }

    /** As block, for a body in which break and continue have no loop to go to. */
    private List<Statement> detached(Supplier<List<Statement>> body) {
        int around = loops;
        loops = 0;
        var statements = body.get();
        loops = around;
        return statements;
    }

    private Statement choice(int line) {
        var branches = new ArrayList<Statement.Branch>();
        List<Statement> otherwise = List.of();
        expressions.enterBranch();
        while (true) {
            var condition = expressions.tuple(false, null);
            cursor.expect(Kind.BLOCK_END);
            branches.add(new Statement.Branch(condition, body("if", List.of("elif", "else", "endif"))));
            var end = cursor.next().text();
            if (end.equals("else")) {
                cursor.expect(Kind.BLOCK_END);
                otherwise = body("if", List.of("endif"));
                cursor.next();
            }
            if (!end.equals("elif")) {
                break;
            }
        }
        expressions.leaveBranch();
        return new Statement.If(line, List.copyOf(branches), otherwise);
    }

    private Statement loop(int line) {
        var target = target(false, "in");
        if (!cursor.skipName("in")) {
            throw cursor.unexpected("'in'");
        }
        var iterable = expressions.tuple(false, "recursive");
        Optional<Expression> filter = cursor.skipName("if") ? Optional.of(expressions.expression()) : Optional.empty();
        boolean recursive = cursor.skipName("recursive");
        cursor.expect(Kind.BLOCK_END);
        loops++;
        var body = body("for", List.of("endfor", "else"));
        loops--;
        List<Statement> otherwise = List.of();
        if (cursor.next().text().equals("else")) {
            cursor.expect(Kind.BLOCK_END);
            otherwise = body("for", List.of("endfor"));
            cursor.next();
        }
        return new Statement.For(line, target, iterable, filter, body, otherwise, recursive);
    }

    private Statement set(int line) {
        var target = target(true, "");
        if (cursor.skip("=")) {
            return new Statement.SetValue(line, target, expressions.tuple(true, null));
        }
        var filtered = filters(line);
        return new Statement.SetBlock(line, target, filtered, detached(() -> block("set")));
    }

    /** Filters written behind a {@code |}, applied to the text of a block. */
    private Expression filters(int line) {
        Expression value = new Expression.BlockText(line);
        int levels = 0;
        while (cursor.skip("|")) {
            cursor.enter();
            levels++;
            value = expressions.filter(value);
        }
        cursor.leave(levels);
        return value;
    }

    private Statement.Target target(boolean withNamespace, String endName) {
        if (withNamespace && cursor.ahead().is(".")) {
            var namespace = cursor.expect(Kind.NAME).text();
            cursor.next();
            return new Statement.Target.NamespaceField(namespace, cursor.expect(Kind.NAME).text());
        }
        var targets = new ArrayList<Statement.Target>();
        boolean several = false;
        do {
            if (cursor.current().is("=") || cursor.current().isName(endName)) {
                break;
            }
            targets.add(single());
            several |= cursor.current().is(",");
        } while (cursor.skip(","));
        if (targets.isEmpty()) {
            throw cursor.unexpected("'name'");
        }
        return several ? new Statement.Target.Unpack(List.copyOf(targets)) : targets.getFirst();
    }

    private Statement.Target single() {
        if (cursor.skip("(")) {
            cursor.enter();
            var inside = target(false, "");
            cursor.leave(1);
            cursor.expect(")");
            return inside;
        }
        return new Statement.Target.Variable(assignableName());
    }

    private String assignableName() {
        var name = cursor.expect(Kind.NAME);
        if (CONSTANTS.contains(name.text())) {
            throw TemplateException.syntax(name.line(), "can't assign to '" + name.text() + "'");
        }
        return name.text();
    }

    private Statement macro(int line) {
        var name = assignableName();
        var parameters = parameters();
        return new Statement.Macro(line, name, parameters, detached(() -> block("macro")));
    }

    private List<Statement.Parameter> parameters() {
        var parameters = new ArrayList<Statement.Parameter>();
        cursor.expect("(");
        while (!cursor.skip(")")) {
            if (!parameters.isEmpty()) {
                cursor.expect(",");
                if (cursor.skip(")")) {
                    break;
                }
            }
            var name = assignableName();
            Optional<Expression> otherwise = cursor.skip("=") ? Optional.of(expressions.expression()) : Optional.empty();
            if (otherwise.isEmpty() && !parameters.isEmpty() && parameters.getLast().otherwise().isPresent()) {
                throw cursor.error("non-default argument follows default argument");
            }
            parameters.add(new Statement.Parameter(name, otherwise));
        }
        return List.copyOf(parameters);
    }

    private Statement call(int line) {
        List<Statement.Parameter> parameters = cursor.current().is("(") ? parameters() : List.of();
        if (!(expressions.expression() instanceof Expression.Call call)) {
            throw cursor.error("expected call");
        }
        var body = detached(() -> block("call"));
        return new Statement.CallBlock(line, new Statement.Macro(line, "caller", parameters, body), call);
    }

    private Statement filter(int line) {
        var first = expressions.filter(new Expression.BlockText(line));
        int levels = 0;
        while (cursor.skip("|")) {
            cursor.enter();
            levels++;
            first = expressions.filter(first);
        }
        cursor.leave(levels);
        return new Statement.FilterBlock(line, first, detached(() -> block("filter")));
    }

    private Statement with(int line) {
        var targets = new ArrayList<Statement.Target>();
        var values = new ArrayList<Expression>();
        while (cursor.current().kind() != Kind.BLOCK_END) {
            if (!targets.isEmpty()) {
                cursor.expect(",");
            }
            targets.add(single());
            cursor.expect("=");
            values.add(expressions.expression());
        }
        return new Statement.With(line, List.copyOf(targets), List.copyOf(values), block("with"));
    }
}
