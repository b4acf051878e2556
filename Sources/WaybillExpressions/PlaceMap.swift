package import WaybillCore

/// Where the bytes of a text stand in the file it was read from.
///
/// A plain scalar is one segment. A block scalar has one for each of its lines; escapes in quoted scalars can be
/// mapped as finely as the reader of the file knows.
package struct PlaceMap: Hashable, Sendable {
    package struct Segment: Hashable, Sendable {
        /// In bytes from the start of the text.
        package var offset: Int
        package var place: SourcePlace

        package init(offset: Int, place: SourcePlace) {
            self.offset = offset
            self.place = place
        }
    }

    private let text: String
    /// By offset.
    private let segments: [Segment]
    /// Where the text that is asked for begins in `text`.
    private var base = 0

    /// `segments` by offset, the first at 0.
    package init(text: String, segments: [Segment]) {
        self.text = text
        self.segments = segments
    }

    /// A text that stands on one line from `place` on; nil if nobody knows.
    package init(text: String, place: SourcePlace?) {
        self.init(text: text, segments: place.map { [Segment(offset: 0, place: $0)] } ?? [])
    }

    /// Nobody knows.
    package static let unknown = PlaceMap(text: "", segments: [])

    /// The map of the part of the text that begins at an offset.
    package func from(_ offset: Int) -> PlaceMap {
        var map = self
        map.base += offset
        return map
    }

    /// The place of a byte; columns count code points.
    package func place(at offset: Int) -> SourcePlace? {
        let offset = base + offset
        guard let segment = segments.last(where: { $0.offset <= offset }) ?? segments.first else { return nil }
        var place = segment.place
        let bytes = text.utf8.dropFirst(segment.offset).prefix(max(0, offset - segment.offset))
        place.column += bytes.count { $0 & 0xC0 != 0x80 }
        return place
    }
}
