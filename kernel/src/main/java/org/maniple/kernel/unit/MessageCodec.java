package org.maniple.kernel.unit;

import java.util.Map;
import java.util.TreeMap;
import org.maniple.api.engine.UnitStatus.StepTimes;
import org.maniple.kernel.unit.UnitMessage.Abort;
import org.maniple.kernel.unit.UnitMessage.Goodbye;
import org.maniple.kernel.unit.UnitMessage.Heartbeat;
import org.maniple.kernel.unit.UnitMessage.LinkReport;
import org.maniple.kernel.unit.UnitMessage.Opened;
import org.maniple.kernel.unit.UnitMessage.Parcel;
import org.maniple.kernel.unit.UnitMessage.Reached;
import org.maniple.kernel.unit.UnitMessage.Refused;
import org.maniple.kernel.unit.UnitMessage.Usage;
import org.maniple.kernel.unit.UnitMessage.Welcome;

/**
 * Messages as bytes: a type, then its fields in a fixed order. The form of the first fields of {@link Hello}, and of {@link Refused}, is the
 * same in all versions of the protocol, so that ranks of different versions can tell each other so.
 */
final class MessageCodec {

    private static final int HELLO = 1;
    private static final int WELCOME = 2;
    private static final int REFUSED = 3;
    private static final int REACHED = 4;
    private static final int OPENED = 5;
    private static final int HEARTBEAT = 6;
    private static final int ABORT = 7;
    private static final int GOODBYE = 8;
    private static final int PARCEL = 9;

    private MessageCodec() {}

    static byte[] encode(UnitMessage message) {
        MessageWriter writer = new MessageWriter();
        switch (message) {
            case Hello hello -> hello(writer.octet(HELLO), hello);
            case Welcome(long epoch, var members) -> writer.octet(WELCOME)
                    .largeNumber(epoch)
                    .list(members, (w, member) -> w.number(member.rank()).text(member.host()).text(member.address())
                            .text(member.process())
                            .textMap(member.ports()));
            case Refused(boolean configuration, var reasons) -> writer.octet(REFUSED)
                    .flag(configuration)
                    .list(reasons, MessageWriter::text);
            case Reached(Phase phase) -> writer.octet(REACHED).phase(phase);
            case Opened(Phase phase) -> writer.octet(OPENED).phase(phase);
            case Heartbeat beat -> writer.octet(HEARTBEAT)
                    .largeNumber(beat.epoch())
                    .phase(beat.phase())
                    .largeNumber(beat.step())
                    .largeNumber(beat.loadedBytes())
                    .list(beat.links(), (w, link) -> w.number(link.peer()).text(link.path()).largeNumber(link.sentBytes()))
                    .largeNumber(beat.usage().dispatchedBytes())
                    .largeNumber(beat.usage().combinedBytes())
                    .largeNumber(beat.usage().kvBytes())
                    .largeNumber(beat.usage().residentBytes())
                    .largeNumber(beat.usage().times().steps())
                    .largeNumber(beat.usage().times().computeNanos())
                    .largeNumber(beat.usage().times().communicationNanos())
                    .largeNumber(beat.usage().times().waitingNanos())
                    .largeNumber(beat.usage().times().halvedSteps());
            case Abort(UnitFailure failure) -> writer.octet(ABORT)
                    .number(failure.rank())
                    .text(failure.host())
                    .text(failure.reason());
            case Goodbye(String reason) -> writer.octet(GOODBYE).text(reason);
            case Parcel(byte[] content) -> writer.octet(PARCEL).rest(content);
        }
        return writer.toBytes();
    }

    static UnitMessage decode(byte[] message) throws MalformedMessageException {
        MessageReader reader = new MessageReader(message);
        int type = reader.octet();
        UnitMessage result = switch (type) {
            case HELLO -> hello(reader);
            case WELCOME -> new Welcome(reader.largeNatural(), reader.list(16, MessageCodec::member));
            case REFUSED -> new Refused(reader.flag(), reader.texts());
            case REACHED -> new Reached(reader.phase());
            case OPENED -> new Opened(reader.phase());
            case HEARTBEAT -> new Heartbeat(
                    reader.largeNatural(),
                    reader.phase(),
                    reader.largeNatural(),
                    reader.largeNatural(),
                    reader.list(16, MessageCodec::link),
                    usage(reader));
            case ABORT -> new Abort(new UnitFailure(reader.natural(), reader.text(), reader.text()));
            case GOODBYE -> new Goodbye(reader.text());
            case PARCEL -> new Parcel(reader.rest());
            default -> throw new MalformedMessageException("unknown type " + type);
        };
        if (!(result instanceof Hello hello) || hello.protocol() == Hello.PROTOCOL) {
            reader.end();
        }
        return result;
    }

    private static void hello(MessageWriter writer, Hello hello) {
        writer.number(hello.protocol())
                .text(hello.version())
                .largeNumber(hello.epoch())
                .number(hello.rank())
                .text(hello.host())
                .largeNumber(hello.processId());
        writer.text(hello.process())
                .text(hello.incarnation())
                .text(hello.address())
                .textMap(hello.ports())
                .textMap(hello.plugins())
                .textMap(hello.configuration())
                .textMap(hello.model())
                .text(hello.program())
                .numberMap(hello.coordinates())
                .largeNumber(hello.weightBytes())
                .flag(hello.serves());
    }

    private static Hello hello(MessageReader reader) throws MalformedMessageException {
        int protocol = reader.natural();
        String version = reader.text();
        long epoch = reader.largeNatural();
        int rank = reader.natural();
        String host = reader.text();
        long process = reader.largeNatural();
        if (protocol != Hello.PROTOCOL) {
            var none = new TreeMap<String, String>();
            return new Hello(protocol, version, epoch, rank, host, process, "", "", "", none, none, none, none, "", Map.of(), 0,
                    false);
        }
        return new Hello(
                protocol,
                version,
                epoch,
                rank,
                host,
                process,
                reader.text(),
                reader.text(),
                reader.text(),
                reader.textMap(),
                reader.textMap(),
                reader.textMap(),
                reader.textMap(),
                reader.text(),
                reader.numberMap(),
                reader.largeNatural(),
                reader.flag());
    }

    private static Member member(MessageReader reader) throws MalformedMessageException {
        return new Member(reader.natural(), reader.text(), reader.text(), reader.text(), reader.textMap());
    }

    private static Usage usage(MessageReader reader) throws MalformedMessageException {
        return new Usage(reader.largeNatural(), reader.largeNatural(), reader.largeNatural(), reader.largeNatural(),
                new StepTimes(reader.largeNatural(), reader.largeNatural(), reader.largeNatural(), reader.largeNatural(),
                        reader.largeNatural()));
    }

    private static LinkReport link(MessageReader reader) throws MalformedMessageException {
        return new LinkReport(reader.natural(), reader.text(), reader.largeNatural());
    }
}
