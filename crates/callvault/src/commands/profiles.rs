//! Profiles by which streams are judged: those that come with the program, and the owner's, which the store
//! keeps.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use graph::QuerySettings;
use quality::{Profile, Profiles, function};
use store::{ProfileOutcome, ProfileRow, Reader, Store};

use crate::settings::Settings;

/// Reads the profiles of a file. None of them has a name that one has which comes with the program.
fn read(file: &Path) -> Result<Vec<Profile>> {
    let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let all = Profiles::shipped().with_file(&text);
    let all = all.with_context(|| format!("reading profiles from {}", file.display()))?;
    let is_shipped = |profile: &&Profile| Profiles::shipped().get(&profile.name).is_some();
    Ok(all.iter().filter(|profile| !is_shipped(profile)).cloned().collect())
}

/// Imports the profiles of files that the settings name.
///
/// # Errors
/// When a file can't be read, or has a version of a profile with other rules than the store has.
pub(super) fn import_files(files: &[PathBuf], store: &Store) -> Result<()> {
    for file in files {
        for profile in read(file).context("quality.profiles")? {
            let row = ProfileRow {
                name: profile.name.clone(),
                version: profile.version,
                content_hash: profile.digest(),
                body: profile.to_toml(),
            };
            match store.import_profile(row).wait()? {
                ProfileOutcome::Unchanged => {}
                ProfileOutcome::Created => {
                    tracing::info!(profile = profile.id(), file = %file.display(), "imported a profile");
                }
                ProfileOutcome::OtherContent => bail!(
                    "quality.profiles: {} has other rules for {} than the store has: raise the \
                     version of the profile with every change",
                    file.display(),
                    profile.id()
                ),
            }
        }
    }
    Ok(())
}

/// All profiles: those that come with the program, those of a file if one is given, those of the files that the
/// settings name, which `serve` imports, and those of the store. Of a name, the first of these.
pub(super) fn all(
    file: Option<&Path>,
    settings: &Settings,
    reader: Option<&mut Reader>,
) -> Result<Profiles> {
    let mut profiles = Profiles::shipped();
    for file in file.into_iter().chain(settings.profiles.iter().map(PathBuf::as_path)) {
        for profile in read(file)? {
            profiles.add(profile);
        }
    }
    let Some(reader) = reader else { return Ok(profiles) };
    for row in reader.profiles()? {
        let ProfileRow { name, version, .. } = &row;
        let read = Profiles::of_file(&row.body).ok().and_then(|mut read| read.pop());
        let Some(profile) = read.filter(|profile| profile.digest() == row.content_hash) else {
            tracing::error!(%name, version, "a profile of the store can't be read");
            continue;
        };
        profiles.add(profile);
    }
    Ok(profiles)
}

/// Lets queries name all profiles.
pub(super) fn for_queries(
    mut queries: QuerySettings,
    settings: &Settings,
    reader: &mut Reader,
) -> Result<QuerySettings> {
    queries.language.functions = function::functions(all(None, settings, Some(reader))?);
    Ok(queries)
}
