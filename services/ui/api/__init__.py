"""The boundary to the API: client, types, the stream that is followed, and answers that are polled."""
